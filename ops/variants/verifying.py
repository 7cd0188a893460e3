"""Renders the variants of many assets again, as many at a time as there are children, and adds up."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from ops.variants.checking import FINE, Finding, Outcome, Subject, Tools, check
from ops.variants.choosing import Library, Wanted
from processors.variants.job_store import together
from schemas.asset_state import AssetState, VariantSet
from schemas.events import Encoder

_MAY_BE_GONE: Final[frozenset[Outcome]] = frozenset(
    {"manifest_missing", "object_missing", "original_missing"}
)
_ONLY_COUNTED: Final[frozenset[Outcome]] = frozenset({"equal", "equal_other_encoder"})


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of it. `findings` are all but those that say no more than equal, which are only counted.

    A set of which several things are wrong counts once under each. `encoders` says, by who made a set,
    what came of those whose manifest could be read.
    """

    encoder: Encoder
    assets: int = 0
    sets: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    encoders: Counter[tuple[Encoder, Outcome]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return self.outcomes.keys() <= FINE

    def add(self, finding: Finding) -> None:
        """Counts what was found, and keeps it where it says more than equal."""
        self.outcomes[finding.outcome] += 1
        if finding.made_by is not None:
            self.encoders[finding.made_by, finding.outcome] += 1
        if finding.outcome not in _ONLY_COUNTED:
            self.findings.append(finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A verification of what is `wanted`, `at_once` sets at a time; `told` is called after each asset."""

    library: Library
    tools: Tools
    wanted: Wanted
    at_once: int
    told: Callable[[], None] = lambda: None

    async def report(self) -> Report:
        """What came of it; raises what `check` raises, and what the library does."""
        report, room = Report(encoder=self.tools.encoder), asyncio.Semaphore(self.at_once)
        for page in self.library.pages(self.wanted):
            states = self.library.states(page)
            await together(*(self._asset(each, states.get(each), report, room) for each in page))
        return report

    async def _asset(
        self, asset_id: UUID, state: AssetState | None, report: Report, room: asyncio.Semaphore
    ) -> None:
        if state is None or not (sets := self._sets(state)):
            report.add(Finding(asset_id=asset_id, outcome=_without_sets(state)))
        else:
            for made in sets:
                async with room:
                    found = await self._set(state, made)
                report.sets += 1
                for finding in found:
                    report.add(finding)
        report.assets += 1
        self.told()

    def _sets(self, state: AssetState) -> Sequence[VariantSet]:
        return [made for made in state.sets if made.preset_set.startswith(self.wanted.preset_set or "")]

    async def _set(self, state: AssetState, made: VariantSet) -> tuple[Finding, ...]:
        """What was found of the set; what is missing may rightly have been taken away meanwhile."""
        subject = Subject(
            asset_id=state.asset_id,
            owner_id=state.owner_id,
            made=made,
            presets=self.library.presets(made.preset_set),
        )
        found = await check(subject, self.tools)
        if all(finding.outcome not in _MAY_BE_GONE for finding in found):
            return found
        now = self.library.states([state.asset_id]).get(state.asset_id)
        if now is not None and now.has_set(made.manifest_key):
            return found
        gone: Outcome = "retired" if now is not None and now.purged_at is None else "purged"
        return (Finding(asset_id=state.asset_id, outcome=gone, preset_set=made.preset_set),)


def _without_sets(state: AssetState | None) -> Outcome:
    if state is None:
        return "unknown_asset"
    return "no_variants" if state.purged_at is None else "purged"

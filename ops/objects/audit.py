"""Compares what the store holds with what the read models say it should, both ways."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from adapters.object_store import ObjectInfo, ObjectStore
from schemas.asset_state import AssetState

PREFIX: Final = "assets/"
INCOMING: Final = "incoming/"
_ASSETS_AT_ONCE: Final = 500

States = Callable[[Sequence[UUID]], Mapping[UUID, AssetState]]
"""What the read models know of these assets; blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An object that should be there and is not."""

    asset_id: UUID
    key: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found: sizes in bytes. `orphans` are old enough to be removed, `young` are not yet."""

    originals: int = 0
    original_bytes: int = 0
    others: int = 0
    other_bytes: int = 0
    incoming: int = 0
    incoming_bytes: int = 0
    young: int = 0
    removed: int = 0
    orphans: list[ObjectInfo] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether store and read models agree."""
        return not self.missing and len(self.orphans) == self.removed


def expected(state: AssetState | None) -> dict[str, bool]:
    """The keys of the objects that an asset has, and whether each is an original; none of a purged one."""
    if state is None or state.purged_at is not None:
        return {}
    keys = {} if state.original is None else {state.original.object_key: True}
    for made in state.sets:
        keys |= dict.fromkeys((variant.object_key for variant in made.variants), False)
        keys[made.manifest_key] = False
        if made.metadata_key is not None:
            keys[made.metadata_key] = False
    return keys


async def audit(
    store: ObjectStore, states: States, uploaded: Callable[[], Iterable[UUID]], *, before: datetime
) -> Report:
    """Looks at every object and at every asset; `uploaded` gives those that have an original.

    The store is listed first and the read models are asked afterwards, so that what came meanwhile is at
    worst too young: an orphan is what nobody names and what came before `before`. What seems to be missing
    is asked for again.
    """
    report, seen = Report(), set[UUID]()
    suspected: set[UUID] = set()
    async for group in _groups(store):
        known = states([asset_id for asset_id in group if asset_id is not None])
        for asset_id, objects in group.items():
            keys = expected(known.get(asset_id)) if asset_id is not None else {}
            _compare(report, objects, keys, before)
            if asset_id is not None:
                seen.add(asset_id)
                if keys.keys() - {info.key for info in objects}:
                    suspected.add(asset_id)
    suspected |= {asset_id for asset_id in uploaded() if asset_id not in seen}
    await _ask_again(store, states, sorted(suspected), report)
    async for info in store.list(INCOMING):
        report.incoming += 1
        report.incoming_bytes += info.size
    return report


async def remove(store: ObjectStore, report: Report) -> None:
    """Removes the orphans of a report."""
    await store.delete([info.key for info in report.orphans])
    report.removed = len(report.orphans)


def _compare(
    report: Report, objects: Sequence[ObjectInfo], keys: Mapping[str, bool], before: datetime
) -> None:
    for info in objects:
        match keys.get(info.key):
            case True:
                report.originals += 1
                report.original_bytes += info.size
            case False:
                report.others += 1
                report.other_bytes += info.size
            case None if info.modified_at is not None and info.modified_at < before:
                report.orphans.append(info)
            case None:
                report.young += 1


async def _ask_again(store: ObjectStore, states: States, assets: Sequence[UUID], report: Report) -> None:
    for start in range(0, len(assets), _ASSETS_AT_ONCE):
        batch = assets[start : start + _ASSETS_AT_ONCE]
        known = states(batch)
        for asset_id in batch:
            for key in expected(known.get(asset_id)):
                if await store.head(key) is None:
                    report.missing.append(Missing(asset_id=asset_id, key=key))


async def _groups(store: ObjectStore) -> AsyncIterator[dict[UUID | None, list[ObjectInfo]]]:
    """The objects by asset, some hundred assets at a time; under None what lies under no asset's prefix."""
    group: dict[UUID | None, list[ObjectInfo]] = {}
    async for info in store.list(PREFIX):
        asset_id = _asset_of(info.key)
        if asset_id not in group and len(group) >= _ASSETS_AT_ONCE:
            yield group
            group = {}
        group.setdefault(asset_id, []).append(info)
    if group:
        yield group


def _asset_of(key: str) -> UUID | None:
    try:
        return UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None

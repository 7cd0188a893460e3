"""What the checker looks at: everything that stands in the log, the read models and the store after a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from schemas.asset_state import AssetState
from schemas.events import AssetEvent
from schemas.lifecycle import fold
from tests.rig.history import Acknowledged, Attempt

Place = tuple[int, int]
"""Partition and offset of a record of the asset log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event of the log, where it stands, under which key, and since when by the log's clock (ms)."""

    partition: int
    offset: int
    key: bytes | None
    event: AssetEvent
    log_ms: int = 0

    @property
    def place(self) -> Place:
        return self.partition, self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The read models: rows by their keys, as columns by name; the activity's are (event id, accepted)."""

    assets: Mapping[UUID, Mapping[str, Any]]
    jobs: Mapping[tuple[UUID, UUID], Mapping[str, Any]]
    activity: Mapping[Place, tuple[UUID, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a run may leave behind that is a violation otherwise.

    `handovers`: a partition went to another worker while the old one lived or was frozen, so that both may
    have begun the same attempt, or one after the other's end. `failures`: kinds and codes with which a job
    may fail. `letters`: how many dead letters. `poison`: how many records that are no events.
    `orphaned_originals`: copies whose completion was never
    appended, as doors leave them that were killed, or could not append.
    """

    handovers: bool = False
    failures: frozenset[tuple[str, str]] = frozenset()
    letters: int = 0
    poison: int = 0
    orphaned_originals: bool = False


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One run's remains. `rows` and `objects` are None where the run had no projector or no store.

    `log` stands in the order of the partitions and their offsets, `unreadable` are records that are no
    events, `objects` are sizes in bytes by key.
    """

    partitions: int
    attempts: Sequence[Attempt] = ()
    acknowledged: Sequence[Acknowledged] = ()
    log: Sequence[Told] = ()
    unreadable: Sequence[Place] = ()
    rows: Rows | None = None
    objects: Mapping[str, int] | None = None
    letters: int = 0
    allowed: Allowed = field(default_factory=Allowed)

    @cached_property
    def stories(self) -> Mapping[UUID, Sequence[Told]]:
        """Each asset's events in the log's order."""
        stories: dict[UUID, list[Told]] = {}
        for told in self.log:
            stories.setdefault(told.event.asset_id, []).append(told)
        return stories

    @cached_property
    def folded(self) -> Mapping[UUID, "Tale"]:
        """What each asset came to, by the contract's own fold."""
        return {asset_id: tale(story) for asset_id, story in self.stories.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """An asset after its whole story, the events that had a part in it, and the last of those."""

    state: AssetState | None
    accepted: tuple[Told, ...]


def tale(story: Sequence[Told]) -> Tale:
    """Folds one asset's events."""
    state: AssetState | None = None
    accepted: list[Told] = []
    for told in story:
        after = fold(state, told.event)
        state = after.state
        if after.accepted:
            accepted.append(told)
    return Tale(state=state, accepted=tuple(accepted))

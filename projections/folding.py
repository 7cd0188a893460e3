"""Folds a batch in memory: records and the states they meet go in, new states come out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple
from uuid import UUID

from adapters.sealing import SealBroken
from adapters.subject_keys import KeyTrouble
from projections.faults import Fault, fault_of
from projections.records import Read, Record
from schemas.decode_errors import DecodeError, NotOurs, UnknownEventType
from schemas.events import AssetEvent
from schemas.lifecycle import AssetState, fold
from schemas.partitioner import partition_for
from schemas.scalars import uuid_text

BlockedKey = tuple[int, bytes | None]
"""Partition and key of records that wait behind one that was set aside."""

Kind = Literal["not_ours", "undecodable", "internal", "follows"]

_BLOCKING: Final = frozenset({"undecodable", "internal"})


class Applied(NamedTuple):
    """An event that went through the fold; `state` is the asset's afterwards, None where it has none."""

    record: Record
    event: AssetEvent
    state: AssetState | None
    accepted: bool


class Changed(NamedTuple):
    """The state of an asset after a batch, and where the last record stands that changed it."""

    state: AssetState
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A record that is not folded, and why.

    `kind` is not_ours (a dead letter, no more), undecodable or internal (a fold that failed; both block their
    key), or follows (waits behind one of those, and gets no letter of its own). `fault` is what an internal
    one met.
    """

    record: Record
    kind: Kind
    code: str
    fault: Fault | None = None

    @property
    def blocks(self) -> bool:
        """Whether the later records of its key have to wait."""
        return self.kind in _BLOCKING


@dataclass(slots=True, kw_only=True)
class Folded:
    """What came of a batch, in the batch's order."""

    applied: list[Applied] = field(default_factory=list)
    changed: dict[UUID, Changed] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a batch is folded with.

    `partitions` is how many the topic has. `states` holds every asset of the batch that has a state,
    `blocked` the keys of the batch whose records wait. `check` raises for an event whose sealed fields can't
    be read. `condemned` are records (partition, offset) whose rows can't be stored, with the reason.
    """

    partitions: int
    states: Mapping[UUID, AssetState]
    blocked: frozenset[BlockedKey]
    check: Callable[[AssetEvent], None]
    condemned: Mapping[tuple[int, int], Exception]


def fold_batch(batch: Sequence[Read], given: Given) -> Folded:
    """Folds the records in their order; raises KeyTrouble while a data key is unknown, and nothing else."""
    return _Fold(given).run(batch)


class _Fold:
    """One batch on its way."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._folded = Folded()
        self._blocked = set(given.blocked)
        self._homes: dict[UUID, BlockedKey] = {}

    def run(self, batch: Sequence[Read]) -> Folded:
        for record, event in batch:
            if isinstance(event, DecodeError):
                self._unreadable(record, event)
            elif isinstance(event, UnknownEventType):
                self._folded.skipped[event.full_name] += 1
            else:
                self._event(record, event)
        return self._folded

    def _unreadable(self, record: Record, error: DecodeError) -> None:
        if isinstance(error, NotOurs):
            self._set_aside(record, "not_ours", error.code)
        elif (record.partition, record.key) in self._blocked:
            self._set_aside(record, "follows", error.code)
        else:
            self._set_aside(record, "undecodable", error.code)

    def _event(self, record: Record, event: AssetEvent) -> None:
        place = (record.partition, record.key)
        if place != self._home(event.asset_id):
            # One partition and one key give an asset its one order: what stands elsewhere is not its story.
            self._set_aside(record, "not_ours", "misplaced")
        elif place in self._blocked:
            self._set_aside(record, "follows", "follows")
        else:
            try:
                self._apply(record, event)
            except (KeyTrouble, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - set aside, with the reason in its dead letter
                self._failed(record, error)

    def _apply(self, record: Record, event: AssetEvent) -> None:
        asset_id, folded = event.asset_id, self._folded
        if (reason := self._given.condemned.get((record.partition, record.offset))) is not None:
            raise reason
        before = (
            changed.state if (changed := folded.changed.get(asset_id)) else self._given.states.get(asset_id)
        )
        after = fold(before, event)
        if after.accepted and after.state is not None:
            self._given.check(event)
            folded.changed[asset_id] = Changed(after.state, record.partition, record.offset)
        folded.applied.append(Applied(record, event, after.state, after.accepted))

    def _failed(self, record: Record, error: Exception) -> None:
        code = "seal_broken" if isinstance(error, SealBroken) else "fold_failed"
        self._set_aside(record, "internal", code, fault_of(error))

    def _set_aside(self, record: Record, kind: Kind, code: str, fault: Fault | None = None) -> None:
        aside = SetAside(record=record, kind=kind, code=code, fault=fault)
        self._folded.set_aside.append(aside)
        if aside.blocks and record.key is not None:
            self._blocked.add((record.partition, record.key))

    def _home(self, asset_id: UUID) -> BlockedKey:
        if (home := self._homes.get(asset_id)) is None:
            key = uuid_text(asset_id).encode()
            home = self._homes[asset_id] = (partition_for(key, self._given.partitions), key)
        return home

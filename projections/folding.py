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
from schemas.scalars import uuid_from_text, uuid_text

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
    """An asset's state after a batch, where the last record that changed it stands; had it one before?"""

    state: AssetState
    partition: int
    offset: int
    existed: bool


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

    def replaced(self) -> list[UUID]:
        """The changed assets that had rows before."""
        return [asset_id for asset_id, changed in self.changed.items() if changed.existed]


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


class _Story:
    """One key of a batch: the asset that it tells of, if any, and where its records belong."""

    __slots__ = ("asset", "existed", "offset", "partition", "state")

    def __init__(self, key: bytes | None, given: Given) -> None:
        asset_id = _asset_of(key)
        self.asset = None if asset_id is None else asset_id.int
        self.partition = -1 if asset_id is None or key is None else partition_for(key, given.partitions)
        self.state = None if asset_id is None else given.states.get(asset_id)
        self.existed = self.state is not None
        self.offset = -1  # of the last record that changed the state


class _Fold:
    """One batch on its way. Stories are found by key, as bytes are cheap to look up and ids are not."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._folded = Folded()
        self._blocked = set(given.blocked)
        self._stories: dict[bytes | None, _Story] = {}

    def run(self, batch: Sequence[Read]) -> Folded:
        for record, event in batch:
            if isinstance(event, DecodeError):
                self._unreadable(record, event)
            elif isinstance(event, UnknownEventType):
                self._folded.skipped[event.full_name] += 1
            else:
                self._event(record, event)
        for story in self._stories.values():
            if story.offset >= 0 and story.state is not None:
                changed = Changed(story.state, story.partition, story.offset, story.existed)
                self._folded.changed[story.state.asset_id] = changed
        return self._folded

    def _unreadable(self, record: Record, error: DecodeError) -> None:
        if isinstance(error, NotOurs):
            self._set_aside(record, "not_ours", error.code)
        elif (record.partition, record.key) in self._blocked:
            self._set_aside(record, "follows", error.code)
        else:
            self._set_aside(record, "undecodable", error.code)

    def _event(self, record: Record, event: AssetEvent) -> None:
        story = self._stories.get(record.key)
        if story is None:
            story = self._stories[record.key] = _Story(record.key, self._given)
        if story.partition != record.partition or story.asset != event.asset_id.int:
            # One partition and one key give an asset its one order: what stands elsewhere is not its story.
            self._set_aside(record, "not_ours", "misplaced")
        elif self._blocked and (record.partition, record.key) in self._blocked:
            self._set_aside(record, "follows", "follows")
        else:
            try:
                self._apply(record, event, story)
            except (KeyTrouble, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - set aside, with the reason in its dead letter
                code = "seal_broken" if isinstance(error, SealBroken) else "fold_failed"
                self._set_aside(record, "internal", code, fault_of(error))

    def _apply(self, record: Record, event: AssetEvent, story: _Story) -> None:
        condemned = self._given.condemned
        if condemned and (reason := condemned.get((record.partition, record.offset))) is not None:
            raise reason
        after = fold(story.state, event)
        if after.accepted:
            self._given.check(event)
            story.state, story.offset = after.state, record.offset
        self._folded.applied.append(Applied(record, event, after.state, after.accepted))

    def _set_aside(self, record: Record, kind: Kind, code: str, fault: Fault | None = None) -> None:
        aside = SetAside(record=record, kind=kind, code=code, fault=fault)
        self._folded.set_aside.append(aside)
        if aside.blocks and record.key is not None:
            self._blocked.add((record.partition, record.key))


def _asset_of(key: bytes | None) -> UUID | None:
    """The asset whose records have this key; None where it is no asset's."""
    try:
        asset_id = uuid_from_text((key or b"").decode())
    except ValueError:
        return None
    return asset_id if uuid_text(asset_id).encode() == key else None

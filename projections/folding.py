"""Folds a batch in memory: records and the states they meet go in, new states come out."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from adapters.faults import Fault, fault_of
from adapters.sealing import SealBroken
from adapters.subject_keys import KeyTrouble
from projections.records import Read, Record
from projections.shortcuts import Shortcut, Whole
from schemas.decode_errors import DecodeError, NotOurs, UnknownEventType
from schemas.partitioner import partition_for

_Id = TypeVar("_Id", bound=Hashable)
_State = TypeVar("_State")
_Event = TypeVar("_Event")
_Seen = TypeVar("_Seen", covariant=True)

BlockedKey = tuple[int, bytes | None]
"""Partition and key of records that wait behind one that was set aside."""

Place = tuple[int, int]
"""Partition and offset."""

Kind = Literal["not_ours", "undecodable", "internal", "follows"]

_BLOCKING: Final = frozenset({"undecodable", "internal"})


class Verdict(Protocol[_Seen]):
    """What a fold says: the state afterwards, the same object where nothing changed; did the event count?"""

    @property
    def state(self) -> _Seen | None:
        """The state after the event."""
        ...

    @property
    def accepted(self) -> bool:
        """Whether the event did what it says."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams(Generic[_Id, _State, _Event]):
    """What the records of a topic tell of: `events` by class, each of the stream that its key names.

    `id_of_key` is None for a key that is no stream's; `id_of` gives what an event itself says.
    """

    events: tuple[type[_Event], ...]
    id_of_key: Callable[[bytes | None], _Id | None]
    id_of: Callable[[_Event], _Id]
    fold: Callable[[_State | None, _Event], Verdict[_State]]


class Applied(NamedTuple, Generic[_State, _Event]):
    """An event that went through the fold; `state` is its stream's afterwards, None where it has none.

    Of events that were taken at once it is None too.
    """

    record: Record
    event: _Event
    state: _State | None
    accepted: bool


# As the class itself makes one, without the Python code before it: there is one for each record of the log.
_applied: Final = partial(tuple.__new__, Applied)


class Changed(NamedTuple, Generic[_State]):
    """A stream's state after a batch and before it, and where the last record that changed it stands."""

    state: _State
    partition: int
    offset: int
    before: _State | None


Change: TypeAlias = Changed[_State] | Whole[_State]
"""What a batch did to a stream."""


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
class Folded(Generic[_Id, _State, _Event]):
    """What came of a batch, in the batch's order; before all that what a shortcut took, life by life."""

    applied: list[Applied[_State, _Event]] = field(default_factory=list)
    changed: dict[_Id, Change[_State]] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def replaced(self) -> list[_Id]:
        """The changed streams that had rows before."""
        return [stream_id for stream_id, changed in self.changed.items() if changed.before is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Generic[_Id, _State, _Event]):
    """What a batch is folded with.

    `partitions` is how many the topic has. `states` holds every stream of the batch that has a state,
    `blocked` the keys of the batch whose records wait. `check` raises for an event whose sealed fields can't
    be read. `condemned` are records whose rows can't be stored, with the reason, `discarded` those that
    nobody shall fold. With a `shortcut` streams are taken at once where they can be.
    """

    streams: Streams[_Id, _State, _Event]
    partitions: int
    states: Mapping[_Id, _State]
    blocked: frozenset[BlockedKey]
    check: Callable[[_Event], None]
    condemned: Mapping[Place, Exception]
    discarded: frozenset[Place] = frozenset()
    shortcut: Shortcut[_State, _Event] | None = None


def touched(batch: Iterable[Read[_Event]], id_of_key: Callable[[bytes | None], _Id | None]) -> list[_Id]:
    """The streams whose states a batch needs: those that its keys name, as nothing else is folded."""
    keys = {record.key for record, _ in batch}
    return [stream_id for stream_id in map(id_of_key, keys) if stream_id is not None]


def fold_batch(
    batch: Sequence[Read[_Event]], given: Given[_Id, _State, _Event]
) -> Folded[_Id, _State, _Event]:
    """Folds the records in their order; raises KeyTrouble while a data key is unknown, and nothing else."""
    fold = _Fold(given)
    return fold.run(batch if given.shortcut is None else fold.begin(batch, given.shortcut))


class _Story(Generic[_Id, _State]):
    """One key of a batch: the stream that it names, if any, and where its records belong."""

    __slots__ = ("before", "offset", "partition", "state", "stream_id")

    def __init__(self, key: bytes | None, given: Given[_Id, _State, _Event]) -> None:
        self.stream_id = given.streams.id_of_key(key)
        nowhere = self.stream_id is None or key is None
        self.partition = -1 if nowhere else partition_for(key or b"", given.partitions)
        self.before = None if self.stream_id is None else given.states.get(self.stream_id)
        self.state = self.before
        self.offset = -1  # of the last record that changed the state

    def has_home_in(self, partition: int) -> bool:
        """Whether records of this key belong into the partition."""
        return self.stream_id is not None and self.partition == partition


class _Fold(Generic[_Id, _State, _Event]):
    """One batch on its way. Stories are found by key, as bytes are cheap to look up and ids are not."""

    def __init__(self, given: Given[_Id, _State, _Event]) -> None:
        self._given = given
        self._id_of = given.streams.id_of
        self._fold = given.streams.fold
        self._check = given.check
        self._folded: Folded[_Id, _State, _Event] = Folded()
        self._note = self._folded.applied.append
        self._blocked = set(given.blocked)
        self._stories: dict[bytes | None, _Story[_Id, _State]] = {}

    def run(self, batch: Sequence[Read[_Event]]) -> Folded[_Id, _State, _Event]:
        discarded = self._given.discarded
        for record, event in batch:
            if discarded and (record.partition, record.offset) in discarded:
                continue
            if isinstance(event, DecodeError):
                self._unreadable(record, event)
            elif isinstance(event, UnknownEventType):
                self._folded.skipped[event.full_name] += 1
            else:
                self._event(record, event)
        for story in self._stories.values():
            if story.offset >= 0 and story.state is not None and story.stream_id is not None:
                changed = Changed(story.state, story.partition, story.offset, story.before)
                self._folded.changed[story.stream_id] = changed
        return self._folded

    def begin(
        self, batch: Sequence[Read[_Event]], shortcut: Shortcut[_State, _Event]
    ) -> Sequence[Read[_Event]]:
        """Takes at once what can be; the others, in their order, are left to `run`."""
        if self._given.discarded or self._given.condemned:
            return batch
        by_key: dict[bytes | None, list[Read[_Event]]] = {}
        for read in batch:
            if (known := by_key.get(read[0].key)) is None:
                by_key[read[0].key] = [read]
            else:
                known.append(read)
        taken = {
            key
            for key, reads in by_key.items()
            if len(reads) == shortcut.events and self._whole(reads, shortcut)
        }
        if len(taken) * shortcut.events == len(batch):
            return ()
        return [read for read in batch if read.record.key not in taken]

    def _whole(self, reads: Sequence[Read[_Event]], shortcut: Shortcut[_State, _Event]) -> bool:
        """Whether these, all of their key, were taken at once; whatever is wrong with one `run` will name."""
        record = reads[-1].record
        story = self._story(record)
        stream_id, home = story.stream_id, story.partition
        if stream_id is None or story.before is not None or (home, record.key) in self._blocked:
            return False
        events = []
        for (partition, *_), event in reads:
            if partition != home or isinstance(event, DecodeError | UnknownEventType):
                return False
            events.append(event)
        try:
            life = shortcut.life(events)
            if life is None or self._id_of(events[0]) != stream_id:
                return False
            for event in events:
                self._check(event)
        except (KeyTrouble, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - met once more by the event that it lies in
            return False
        self._folded.changed[stream_id] = Whole(life, shortcut.state_of, home, record.offset)
        for each, event in reads:
            self._note(_applied((each, event, None, True)))
        return True

    def _unreadable(self, record: Record, error: DecodeError) -> None:
        if isinstance(error, NotOurs) or not self._story(record).has_home_in(record.partition):
            # Behind what stands where nothing is looked for, nothing has to wait.
            self._set_aside(record, "not_ours", error.code)
        elif (record.partition, record.key) in self._blocked:
            self._set_aside(record, "follows", error.code)
        else:
            self._set_aside(record, "undecodable", error.code)

    def _event(self, record: Record, event: _Event) -> None:
        # Inline, as it is for each record of the log.
        story = self._stories.get(record.key) or self._story(record)
        stream_id, told = story.stream_id, self._id_of(event)  # mostly one object; comparing ids is dear
        if story.partition != record.partition or (stream_id is not told and stream_id != told):
            # One partition and one key give a stream its one order: what stands elsewhere is not its story.
            self._set_aside(record, "not_ours", "misplaced")
        elif self._blocked and (record.partition, record.key) in self._blocked:
            self._set_aside(record, "follows", "follows")
        else:
            try:
                condemned = self._given.condemned
                if condemned and (reason := condemned.get((record.partition, record.offset))) is not None:
                    raise reason
                after = self._fold(story.state, event)
                state, accepted = after.state, after.accepted
                if accepted:
                    self._check(event)
                if state is not story.state:
                    story.state, story.offset = state, record.offset
                self._note(_applied((record, event, state, accepted)))
            except (KeyTrouble, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - set aside, with the reason in its dead letter
                code = "seal_broken" if isinstance(error, SealBroken) else "fold_failed"
                self._set_aside(record, "internal", code, fault_of(error))

    def _story(self, record: Record) -> _Story[_Id, _State]:
        story = self._stories.get(record.key)
        if story is None:
            story = self._stories[record.key] = _Story(record.key, self._given)
        return story

    def _set_aside(self, record: Record, kind: Kind, code: str, fault: Fault | None = None) -> None:
        aside = SetAside(record=record, kind=kind, code=code, fault=fault)
        self._folded.set_aside.append(aside)
        if aside.blocks and record.key is not None:
            self._blocked.add((record.partition, record.key))

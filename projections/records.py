"""A record of the log as the projector takes it in, and what reading it gave."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from confluent_kafka import Message

from schemas.codec import Codec
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.envelope import RawRecord

_SCHEMA_ID: Final = slice(1, 5)


class Record(NamedTuple):
    """One record. `log_ms` is the log's own time; headers are parsed only when asked for, as that is dear."""

    partition: int
    offset: int
    log_ms: int
    key: bytes | None
    value: bytes | None
    headers: Callable[[], Any]  # pairs of name and value, or None

    def raw(self, topic: str) -> RawRecord:
        """The record as a whole, for a dead letter."""
        return RawRecord(
            topic=topic,
            partition=self.partition,
            offset=self.offset,
            timestamp_ms=self.log_ms,
            key=self.key,
            value=self.value,
            headers=self.headers() or (),
        )


# As the class itself makes one, without the Python code before it: there are two for each record of the log.
_record: Final = partial(tuple.__new__, Record)


def record_of(message: Message) -> Record:
    """What a consumer handed out, which must be no error."""
    return _record(
        (
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
            message.key(),
            message.value(),
            message.headers,
        )
    )


_Event = TypeVar("_Event")


class Read(NamedTuple, Generic[_Event]):
    """A record with its event, or with why there is none."""

    record: Record
    event: _Event | DecodeError | UnknownEventType


_made: Final = partial(tuple.__new__, Read)


class Reading(Generic[_Event]):
    """Decodes records; headers are looked at where a schema id is first met (architecture: Topics)."""

    def __init__(self, codec: Codec, events: tuple[type[_Event], ...]) -> None:
        """`events` are the classes of the topic that is read."""
        self._codec = codec
        self._events = events
        self._met: set[bytes] = set()
        self._ours: set[bytes] = set()

    def read_all(self, records: Iterable[Record]) -> list[Read[_Event]]:
        """Each record with its event, or the error that reading it gave; raises what the registry raises.

        An event of another topic counts as one of a type that nobody here knows.
        """
        return [_made((record, self._read(record))) for record in records]

    def _read(self, record: Record) -> _Event | DecodeError | UnknownEventType:
        value = record.value
        if value is not None and value[_SCHEMA_ID] in self._ours:
            event = self._codec.decode_known(value)
            if event is not None:
                return cast("_Event", event)
        return self._decoded(record)

    def _decoded(self, record: Record) -> _Event | DecodeError | UnknownEventType:
        value = record.value
        schema_id = value[_SCHEMA_ID] if value is not None else b""
        met = schema_id in self._met
        try:
            event = self._codec.decode(value, headers=None if met else record.headers() or ())
        except DecodeError as error:
            return _bare(error)
        except UnknownEventType as error:
            self._met.add(schema_id)
            return _bare(error)
        if not met:
            self._met.add(schema_id)
        if not isinstance(event, self._events):
            return UnknownEventType(type(event).__name__)
        self._ours.add(schema_id)
        return event


_E = TypeVar("_E", DecodeError, UnknownEventType)


def _bare(error: _E) -> _E:
    """The error without the frames it came through: it is kept as long as its batch."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)

"""An event log in memory, for tests: everything lands at once, unless told otherwise."""

from collections import Counter
from dataclasses import dataclass, field

from adapters.clock import Clock, SystemClock
from adapters.event_log.protocol import AppendFailed, LogUnavailable, RecordTooLarge
from schemas.codec import Codec, OversizedEvent
from schemas.envelope import Metadata, RawRecord, headers_for, key_of, topic_of
from schemas.events import Event
from schemas.partitioner import partition_for
from schemas.positions import Position
from schemas.topics import Topics, topic_specs


@dataclass(slots=True)
class InMemoryEventLog:
    """Records kept in a list, framed and partitioned as the real log does it.

    `failure` is raised by the next appends until it is taken away; with `lands_anyway` the record is kept
    all the same, which is how an unknown outcome looks from outside.
    """

    codec: Codec = field(default_factory=Codec.local)
    topics: Topics = field(default_factory=Topics)
    partitions: int = 12
    clock: Clock = field(default_factory=SystemClock)
    records: list[RawRecord] = field(default_factory=list)
    failure: AppendFailed | None = None
    lands_anyway: bool = False
    closed: bool = False
    _next: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def append(self, event: Event, metadata: Metadata) -> Position:
        """Appends at once; raises `failure` where one is set."""
        if self.closed:
            raise LogUnavailable("the log is closed")
        if self.failure is not None and not self.lands_anyway:
            raise self.failure
        record = self._record(event, metadata)
        self.records.append(record)
        if self.failure is not None:
            raise self.failure
        return record.position

    async def reachable(self) -> bool:
        """Whether appends succeed."""
        return self.failure is None and not self.closed

    async def ends(self, topic: str) -> dict[int, int]:
        """As the Protocol says."""
        if self.failure is not None or topic not in self._counts():
            return {}
        return {partition: self._next[topic, partition] for partition in range(self._counts()[topic])}

    async def close(self) -> None:
        """Refuses what comes later."""
        self.closed = True

    def events(self) -> list[Event]:
        """What was appended, decoded, in order."""
        return [self.codec.decode(record.value) for record in self.records]

    def _record(self, event: Event, metadata: Metadata) -> RawRecord:
        topic, key = topic_of(event, self.topics), key_of(event)
        try:
            value = self.codec.encode(event)
        except OversizedEvent as error:
            raise RecordTooLarge(str(error)) from error
        partition = partition_for(key, self._counts()[topic])
        offset = self._next[topic, partition]
        self._next[topic, partition] += 1
        return RawRecord(
            topic=topic,
            partition=partition,
            offset=offset,
            timestamp_ms=int(self.clock.now().timestamp() * 1000),
            key=key,
            value=value,
            headers=headers_for(event, metadata),
        )

    def _counts(self) -> dict[str, int]:
        return {spec.name: spec.partitions for spec in topic_specs(self.topics.prefix, self.partitions, 1)}

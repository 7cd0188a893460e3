"""The thin shell of Faust around a reactor: raw records in, one actor a partition, acks by our own hand.

Faust acknowledges a record whose agent raised, commits past work in flight with several actors on one
partition, and goes silent for ever when jobs are slower than its defaults expect. So nothing is raised
here, each partition has one actor, and buffers and intervals are set for slow jobs.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import faust
from faust import streams
from faust.streams import Stream
from faust.types import TP, AppT, EventT, Message, StreamT
from faust.types.auth import CredentialsT

from processors.faust_app.assignor import WholeAssignor
from processors.faust_app.window import Take, Window
from schemas.envelope import RawRecord

_DAY_SECONDS = 86_400
# Small, so that a slow partition holds few records and a rebalance drops few; the defaults stall for good.
_BUFFERED_RECORDS = 16
# What was acked and not yet committed comes again after a kill or a rebalance, only to be skipped.
_COMMIT_SECONDS = 1.0
# How soon a member hears of a rebalance; the others wait for the last to hear.
_HEARTBEAT_SECONDS = 1.0
# Short, so that "leave when the broker is gone" does not take the default's twenty minutes.
_PRODUCER_SECONDS = 15.0

Passes = Callable[[RawRecord], bool]
"""Whether a record is done with as it is, without being taken."""
Acked = Callable[[RawRecord], None]
"""Hears that a record is acked, in the log's order: it and all before it are done with."""
Assigned = Callable[[frozenset[int]], None]
"""Hears which partitions of the topic are ours now, at each rebalance: the full set."""
Revoked = Callable[[], None]
"""Hears that a rebalance begins."""


class UncompiledFaust(Exception):
    """Faust was installed without its compiled stream iterator, whose twin acknowledges skipped records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfig:
    """Where the records come from: brokers, group and this worker's place in it; times in seconds.

    `in_hand` is the size of each partition's Window.
    """

    brokers: tuple[str, ...]
    credentials: CredentialsT | None
    group: str
    instance_id: str
    topic: str
    session: float
    idle_limit: float
    folder: Path
    in_hand: int = 1


def build_app(
    config: AppConfig,
    *,
    take: Take,
    passes: Passes = lambda _record: False,
    acked: Acked = lambda _record: None,
    assigned: Assigned,
    revoked: Revoked = lambda: None,
) -> faust.App:
    """A Faust app that hands the topic's records to `take`, unless they pass, and acks what is done with."""
    if getattr(streams, "_CStreamIterator", None) is None:
        raise UncompiledFaust("install the wheel of faust-streaming, or unset NO_CYTHON")
    app = _configured(config)
    topic = app.topic(
        config.topic, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw"
    )

    async def act(stream: StreamT[bytes]) -> None:
        await _act(stream, Window(take, size=config.in_hand), passes, acked)

    async def on_assigned(_app: AppT, /, *given: Iterable[TP], **_: object) -> None:
        assigned(frozenset(tp.partition for tp in given[0] if tp.topic == config.topic))

    async def on_revoked(_app: AppT, /, *_: object, **__: object) -> None:
        revoked()

    app.agent(topic, name=config.group, isolated_partitions=True, concurrency=1)(act)
    app.on_partitions_assigned.connect(on_assigned)
    app.on_partitions_revoked.connect(on_revoked)
    return app


def _configured(config: AppConfig) -> faust.App:
    """An app without agents, set against each of Faust's traps."""
    return faust.App(
        config.group,
        broker=[f"kafka://{broker}" for broker in config.brokers],
        broker_credentials=config.credentials,
        datadir=config.folder,
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=config.instance_id,
        broker_client_id=config.instance_id,
        broker_session_timeout=config.session,
        broker_heartbeat_interval=min(_HEARTBEAT_SECONDS, config.session / 4),
        broker_max_poll_records=_BUFFERED_RECORDS,
        broker_max_poll_interval=_DAY_SECONDS,
        broker_commit_interval=_COMMIT_SECONDS,
        stream_buffer_maxsize=_BUFFERED_RECORDS,
        stream_wait_empty=False,
        producer_request_timeout=_PRODUCER_SECONDS,
        worker_redirect_stdouts=False,
        PartitionAssignor=WholeAssignor,
    )


async def _act(stream: StreamT[bytes], window: Window, passes: Passes, acked: Acked) -> None:
    """Has one partition's records worked on, until one is left undone; never raises."""
    acking = cast("Stream[bytes]", stream).noack()

    async def ack(event: EventT[bytes], record: RawRecord) -> None:
        await acking.ack(event)
        acked(record)

    try:
        async for event in acking.events():
            if not await _has_room(window):
                break
            record = record_of(event.message)
            if passes(record):  # a task of its own for each of these would cost more than all else about them
                await window.add_done(partial(ack, event, record))
            else:
                window.add(record, partial(ack, event, record))
    finally:
        # Where the partition went to another worker Faust ends the stream first, and cancels us soon after.
        window.interrupt("rebalance")
    with contextlib.suppress(asyncio.CancelledError):
        await window.emptied()


async def _has_room(window: Window) -> bool:
    """Whether the window has room, in time; not so where we are cancelled, which Faust must not hear of."""
    try:
        return await window.has_room()
    except asyncio.CancelledError:
        return False


async def leave_for_good(app: faust.App) -> None:
    """Commits what is acked and tells the group that this member will not come back; then `stop` the app.

    A static member says nothing when it goes, so that its restart moves no partition; here its client is
    made to take it for a dynamic one. Not left to `stop`, in which Faust closes the connection at the same
    time. Does nothing where the group was never joined.
    """
    # Not `app.consumer`, which would make one.
    consumer = getattr(app, "_consumer", None)
    thread = getattr(consumer, "_thread", None)
    coordinator = getattr(getattr(thread, "_consumer", None), "_coordinator", None)
    if consumer is None or thread is None or coordinator is None:
        return
    await consumer.commit()
    coordinator._group_instance_id = None  # noqa: SLF001 - aiokafka has no door to this
    await thread.call_thread(coordinator.close)


def record_of(message: Message) -> RawRecord:
    """Faust's message as a record of ours."""
    headers = message.headers or ()
    return RawRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=round(message.timestamp * 1000),
        key=message.key,
        value=message.value,
        headers=tuple(headers.items()) if isinstance(headers, Mapping) else tuple(headers),
    )

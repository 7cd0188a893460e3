"""`python -m tests.bench.faust_worker NAME RECORDS`: one contender takes so many records of the asset log.

Each is a process with a group of its own that reads from the log's beginning. It answers with the seconds,
and those of its processor, from the first record to the last.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TextIO
from uuid import uuid4

import faust
from aiokafka import AIOKafkaConsumer
from faust.types import StreamT

from adapters.clock import SystemClock
from adapters.event_log import KafkaEventLog
from adapters.settings import Settings, load_settings
from adapters.telemetry import Metrics, configure_logs
from processors.faust_app.brokers import broker_list
from processors.jobs import Attempt
from processors.retries import Retries
from schemas.codec import Codec
from schemas.envelope import Metadata
from schemas.events import ProcessingStarted
from tests.bench.faust_reactor import Count, reactor
from tests.unit.processors.scripted import Scripted, well

Contender = Callable[[Settings, Count], Awaitable[None]]
_Deal = Callable[[bytes], Awaitable[bool]]
"""Deals with a record's value; whether it is one of those that are counted."""


async def agent(settings: Settings, count: Count) -> None:
    """A Faust agent as its guide has it, which does nothing."""

    async def nothing(_value: bytes) -> bool:
        return True

    await _faust(settings, count, nothing)


async def agent_that_says(settings: Settings, count: Count) -> None:
    """The same, and says of each request what the reactor says of it, by the same log."""
    codec, work = Codec.local(), Scripted(well)
    log = KafkaEventLog(settings.kafka, codec, metrics=Metrics().log)

    async def said(value: bytes) -> bool:
        if (job := work.job_in(codec.decode(value))) is None:
            return False
        metadata = Metadata(correlation_id=job.cause, causation_id=job.cause, source=work.source)
        started = ProcessingStarted(
            event_id=uuid4(),
            occurred_at=SystemClock().now(),
            asset_id=job.asset_id,
            owner_id=job.owner_id,
            job_id=job.job_id,
            attempt=1,
            worker="bench",
            lane=job.lane,
        )
        await log.append(started, metadata)
        attempt = Attempt(number=1, retries=Retries(budget=60.0, retried=lambda _code, _tries: None))
        await log.append(await work.work(job, attempt), metadata)
        return True

    await _faust(settings, count, said)
    await log.close()


async def _faust(settings: Settings, count: Count, deal: _Deal) -> None:
    app = faust.App(
        uuid4().hex,
        broker=[f"kafka://{broker}" for broker in broker_list(settings.kafka)],
        datadir=settings.runtime.state_dir / "faust",
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )
    topic = app.topic(settings.kafka.topics.assets, value_type=bytes, value_serializer="raw")

    async def act(stream: StreamT[bytes]) -> None:
        async for value in stream:
            count.came()
            if await deal(value):
                count.done()

    app.agent(topic, isolated_partitions=True)(act)
    await app.start()
    await count.all_done()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(app.stop(), 5)


async def loop(settings: Settings, count: Count) -> None:
    """aiokafka alone."""
    consumer = AIOKafkaConsumer(
        settings.kafka.topics.assets,
        bootstrap_servers=settings.kafka.bootstrap_servers,
        group_id=uuid4().hex,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    while not count.over:
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            for _ in records:
                count.came()
                count.done()
    await consumer.stop()


CONTENDERS: Final[dict[str, Contender]] = {
    "reactor": reactor,
    "agent that says": agent_that_says,
    "reactor, passing": lambda settings, count: reactor(settings, count, passing=True),
    "agent": agent,
    "aiokafka": loop,
}


def open_nowhere() -> TextIO:
    """A file that keeps nothing."""
    return Path(os.devnull).open("w")


async def main(name: str, records: int) -> None:
    """Say when it begins, and what it took."""
    settings = load_settings()
    settings.runtime.state_dir.mkdir(parents=True, exist_ok=True)
    configure_logs("bench", settings, open_nowhere())  # written as a worker writes them
    print(json.dumps({"ready": name}), flush=True)
    count = Count(records, wall=time.perf_counter, cpu=time.process_time)
    await CONTENDERS[name](settings, count)
    print(json.dumps({"seconds": count.seconds, "cpu": count.cpu_seconds}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))

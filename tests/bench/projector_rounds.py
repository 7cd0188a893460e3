"""Rounds of the projector: a log is filled once, then folded from its start again and again."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from confluent_kafka import Consumer, TopicPartition

from adapters.schema_registry import load_codec
from adapters.settings import Settings
from projections.checkpoints import live_loop, read_positions
from projections.topic import ends
from schemas.events import AssetEvent
from schemas.positions import Position
from tests.bench.ground import fresh_database, metadata, pen
from tests.bench.meters import Meter, Reading, server_pids
from tests.bench.results import progress
from tests.programs import Program
from tests.servers import World
from tests.unit.projections.stories import Stories

# Assets under way at a time: their events lie between each other's in the log, as live ones do.
TOGETHER = 200
_OWNERS = 20
_LONGEST_SECONDS = 300.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """One round: events folded into empty read models, and what that took, beside reading them alone."""

    events: int
    used: Reading
    memory_mib: float
    bare_events: int
    bare: Reading


async def fill(world: World, assets: int, name: str = "fill") -> None:
    """Append the whole lives of so many assets; another name's are others."""
    async with pen(world.settings(name)) as held:
        stories = Stories(name, held.keys)
        with progress() as bar:
            task = bar.add_task("appending", total=4 * assets)
            appends: list[Awaitable[Position]] = []
            async for event in lives(stories, 4 * assets):
                appends.append(held.log.append(event, metadata(event.asset_id)))
                if len(appends) == TOGETHER:
                    await asyncio.gather(*appends)
                    bar.advance(task, len(appends))
                    appends.clear()
            await asyncio.gather(*appends)


async def lives(stories: Stories, events: int) -> AsyncIterator[AssetEvent]:
    """So many events from lives of four each: the first ones of TOGETHER assets, then the second ones …"""
    owners = [await stories.owner(str(number)) for number in range(_OWNERS)]
    numbers = count()
    said = 0
    while True:
        together = [next(numbers) for _ in range(TOGETHER)]
        for stage in zip(*(stories.whole(n, owners[n % _OWNERS]) for n in together), strict=True):
            for event in stage:
                if said == events:
                    return
                said += 1
                yield event


def catch_up(world: World, number: int) -> Caught:
    """One round: reading alone, then a projector whose read models are empty."""
    settings = world.settings("catch-up")
    log_ends = ends(settings.kafka, settings.kafka.topics.assets)
    bare_events, bare = read_alone(settings, log_ends)
    env = fresh_database(world, f"round-{number}")
    program = Program(["projections"], env, world.folder / f"round-{number}")
    try:
        with psycopg.connect(env["DATABASE_URL"], autocommit=True) as conn:
            target, begun = sum(log_ends.values()), until_applied(program, conn, settings, 1)
            meter = Meter({"projector": (program.pid,), **server_pids(world)})
            until_applied(program, conn, settings, target)
            used, memory = meter.read(), meter.memory_mib("projector")
    finally:
        program.stop()
    return Caught(events=target - begun, used=used, memory_mib=memory, bare_events=bare_events, bare=bare)


def read_alone(settings: Settings, log_ends: Mapping[int, int]) -> tuple[int, Reading]:
    """What no projector in this language could beat: the same consumer and codec, and nothing done."""
    topic, codec = settings.kafka.topics.assets, load_codec(settings)
    consumer = Consumer(
        {**settings.kafka.client(), "group.id": "bench", "enable.auto.commit": False, "fetch.min.bytes": 1}
    )
    consumer.assign([TopicPartition(topic, partition, 0) for partition in log_ends])
    left, seen = sum(log_ends.values()), 0
    first = consumer.consume(1, 10.0)  # connecting is not reading
    began, cpu = time.perf_counter(), _cpu()
    left -= len(first)
    while left > 0:
        for record in consumer.consume(2000, 1.0):
            codec.decode(record.value())
            seen += 1
            left -= 1
    reading = Reading(seconds=time.perf_counter() - began, cpu={"reading": _cpu() - cpu})
    consumer.close()
    return seen, reading


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def until_applied(program: Program, conn: psycopg.Connection[Any], settings: Settings, events: int) -> int:
    """Wait until so many events are applied; gives how many are."""
    loop = live_loop(settings.kafka.topics)
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (applied := sum(read_positions(conn, loop, range(settings.kafka.partitions)).values())) < events:
        if not program.alive() or time.monotonic() > deadline:
            raise TimeoutError(f"{applied} of {events} events applied\n{program.output()[-2000:]}")
        time.sleep(_LOOK_SECONDS)
    return applied

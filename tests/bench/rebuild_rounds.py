"""Rounds of a rebuild: a long log is written once, folded live, and then rebuilt again and again."""

import asyncio
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from confluent_kafka import KafkaError, Message, Producer

from adapters.settings import Settings
from ops.read_models_filling import Said, fill_all, held, parts_of
from projections.checkpoints import Loop, live_loop
from projections.rebuild import copies
from projections.rebuild.comparing import compare
from projections.topic import ends
from schemas.envelope import headers_for, key_of
from schemas.partitioner import partition_for
from tests.bench.ground import Pen, metadata, pen
from tests.bench.projector_rounds import lives
from tests.bench.results import progress
from tests.programs import Program
from tests.servers import World
from tests.unit.projections.stories import Stories

_ROOM_SECONDS = 0.5
_LONGEST_SECONDS = 1800.0
_READ = "select * from live.assets order by listed_at desc limit 50"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """One rebuild: records filled in, seconds of filling, of indexes, and of the first record's waiting.

    `cpu_seconds` is that of the processes that fill. `reads` are seconds of pages read meanwhile.
    """

    records: int
    starting: float
    filling: float
    finishing: float
    comparing: float
    cpu_seconds: float
    memory_mib: float
    reads: tuple[float, ...] = field(default=())

    @property
    def rate(self) -> float:
        """Events a second, processes started and indexes made."""
        return self.records / (self.starting + self.filling + self.finishing)


async def write(world: World, events: int) -> None:
    """Write whole lives of assets, four events each, as fast as the broker takes them."""
    settings = world.settings("write")
    async with pen(settings) as found:
        await _produce(settings, found, events)


async def _produce(settings: Settings, found: Pen, events: int) -> None:
    failures: list[KafkaError] = []

    def told(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer(
        {**settings.kafka.client(), "acks": "all", "linger.ms": 50, "queue.buffering.max.messages": 200_000}
    )
    topic, partitions = settings.kafka.topics.assets, settings.kafka.partitions
    stories = Stories("long", found.keys)
    with progress() as bar:
        task = bar.add_task("writing", total=events)
        async for event in lives(stories, events):
            key, value = key_of(event), found.codec.encode(event)
            headers = headers_for(event, metadata(event.asset_id))
            while True:
                try:
                    producer.produce(
                        topic, value, key, partition_for(key, partitions), told, headers=list(headers)
                    )
                    break
                except BufferError:
                    producer.poll(_ROOM_SECONDS)
            bar.advance(task)
    producer.flush(60)
    if failures:
        raise TimeoutError(f"{len(failures)} records were not taken: {failures[0]}")


def fold_live(world: World, settings: Settings) -> Program:
    """The projector, left running once it has folded what the log holds."""
    program = Program(["projections"], world.env | {"DATABASE_URL": _url(settings)}, world.folder / "live")
    goal = sum(ends(settings.kafka, settings.kafka.topics.assets).values())
    deadline = time.monotonic() + _LONGEST_SECONDS
    query = "select coalesce(sum(next_offset), 0)::bigint from infra.checkpoints where read_model = 'assets'"
    with psycopg.connect(_url(settings), autocommit=True) as conn, progress() as bar:
        task = bar.add_task("folding live", total=goal)
        while (done := (conn.execute(query).fetchone() or (0,))[0]) < goal:
            if not program.alive() or time.monotonic() > deadline:
                raise TimeoutError(f"{done} of {goal} folded\n{program.output()[-2000:]}")
            bar.update(task, completed=done)
            time.sleep(_ROOM_SECONDS)
    return program


def rebuild(settings: Settings, name: str, workers: int) -> Rebuilt:
    """One rebuild with so many processes, compared and dropped; pages of the gallery are read meanwhile."""
    loop = live_loop(settings.kafka.topics)
    with psycopg.connect(_url(settings), autocommit=True) as conn, _reads(settings) as reads:
        with held(conn, loop, [name]):
            copies.begin(conn, loop, [name])
            rebuilt = _rebuilt(conn, settings, loop, name, workers, reads)
        copies.drop(conn, loop, name)
    return rebuilt


def _rebuilt(
    conn: psycopg.Connection[tuple[object, ...]],
    settings: Settings,
    loop: Loop,
    name: str,
    workers: int,
    reads: list[float],
) -> Rebuilt:
    records, first = 0, 0.0
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)

    def told(said: Said) -> None:
        nonlocal records, first
        records += said.records
        first = first or time.perf_counter()

    parts = parts_of(copies.every(conn, loop), [name], settings.kafka.partitions)
    fill_all(settings, loop.name, parts, workers, told)
    filled, after = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    copies.finish(conn, loop, name)
    finished, measured = time.perf_counter(), tuple(reads)
    if not compare(conn, loop, [name]).same:
        raise ValueError(f"the copy of {name} is not the same")
    return Rebuilt(
        records=records,
        starting=first - began,
        filling=filled - first,
        finishing=finished - filled,
        comparing=time.perf_counter() - finished,
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        memory_mib=after.ru_maxrss / 1024,
        reads=measured,
    )


@contextmanager
def _reads(settings: Settings) -> Iterator[list[float]]:
    """Ten pages a second of the newest assets, as the gallery asks for them; seconds that each took."""
    stop, seconds = threading.Event(), list[float]()

    def read() -> None:
        with psycopg.connect(_url(settings), autocommit=True) as conn:
            while not stop.wait(0.1):
                began = time.perf_counter()
                conn.execute(_READ).fetchall()
                seconds.append(time.perf_counter() - began)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield seconds
    finally:
        stop.set()
        reader.join()


def _url(settings: Settings) -> str:
    return settings.postgres.url.get_secret_value()


def written(world: World, events: int) -> None:
    """`write`, for who has no event loop."""
    asyncio.run(write(world, events))

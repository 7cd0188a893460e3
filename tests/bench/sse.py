"""`sse`: what idle streams cost in memory, and how late each entry of a steady stream of events is heard."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from adapters.owners import owner_id
from tests.bench import machine, rounds
from tests.bench.ears import Ear, listen
from tests.bench.ground import GENEROUS, metadata, pen, world
from tests.bench.meters import Meter, Reading
from tests.bench.results import JsonFile, Results, show
from tests.programs import Program, running
from tests.servers import World
from tests.unit.projections.stories import Stories

_SETTLE_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 60.0
_AT_ONCE: Final = 50
_STREAMS_OF_ONE: Final = 500
# Of an asset's life three events are told: uploaded, processing, ready.
_TOLD: Final = 3

Streams = Annotated[int, typer.Option(min=1, help="Idle streams, all of one process.")]
Rate = Annotated[int, typer.Option(min=4, help="Events a second.")]
Owners = Annotated[int, typer.Option(min=1, help="People whose assets the events tell of.")]
Tabs = Annotated[int, typer.Option(min=1, help="Streams of each of them, beside the idle ones.")]
Seconds = Annotated[float, typer.Option(min=1, help="How long events are appended.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is asked for: keys of those to whom things happen and of those to whom nothing does."""

    busy: Sequence[str]
    idle: Sequence[str]
    streams: int
    tabs: int
    rate: int
    seconds: float


@dataclass(slots=True)
class Measured:
    """MiB before and with the idle streams; seconds from each acknowledgement to its entry."""

    before: float
    idle: float = 0.0
    delays: list[float] = field(default_factory=list)
    expected: int = 0
    idle_ended: int = 0
    used: Reading | None = None
    appended: int = 0
    acknowledged: dict[tuple[str, str], float] = field(default_factory=dict)
    early: Counter[tuple[str, str]] = field(default_factory=Counter)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, said: Mapping[str, Any], moment: float) -> None:
        """One of the streams heard an entry, perhaps before its acknowledgement."""
        name = (str(said["asset_id"]), str(said["type"]))
        if name in self.acknowledged:
            self._came(max(0.0, moment - self.acknowledged[name]))
        elif said["asset_id"] is not None:
            self.early[name] += 1

    async def complete(self) -> None:
        """Returns once all that was expected has been heard."""
        while len(self.delays) < self.expected:
            self._changed.clear()
            await self._changed.wait()

    def _came(self, delay: float) -> None:
        self.delays.append(delay)
        self._changed.set()

    def told(self, asset_id: UUID, kind: str) -> None:
        """The log has the event that becomes this entry, one for each stream of its owner."""
        name = (str(asset_id), kind)
        self.acknowledged[name] = time.perf_counter()
        for _ in range(self.early.pop(name, 0)):
            self._came(0.0)


def command(
    streams: Streams = 5_000,
    rate: Rate = 1_000,
    owners: Owners = 100,
    tabs: Tabs = 2,
    seconds: Seconds = 10.0,
    json_file: JsonFile = None,
) -> None:
    """Memory of idle streams; then, with all of them open, the delay of a steady stream of events."""
    with world() as ground:
        busy, idle = _keys("owner", owners), _keys("idle", -(-streams // _STREAMS_OF_ONE))
        spelled = ",".join(f"{key}:{owner}:user" for key, owner in (busy | idle).items())
        bounds = {
            "SSE_STREAMS_PER_USER": str(_STREAMS_OF_ONE + 5),
            "SSE_LIFETIME": "1h",
            "CONNECTIONS_PER_NETWORK": "0",
            "API_KEYS": f"{ground.env['API_KEYS']},{spelled}",
        }
        env = {**ground.env, **GENEROUS, "RATE_STRANGERS": "off", **bounds}
        api, projector = Program(["api"], env, ground.folder), Program(["projections"], env, ground.folder)
        with running(projector, api):
            projector.wait_ready()
            api.wait_ready(f"{env['DARKROOM_URL']}/readyz")
            shape = Shape(
                busy=list(busy), idle=list(idle), streams=streams, tabs=tabs, rate=rate, seconds=seconds
            )
            measured = asyncio.run(_measure(ground, env, (api, projector), shape))
    show(results(measured, shape), json_file)


def _keys(kind: str, count: int) -> dict[str, str]:
    return {f"bench-key-of-{kind}-{number:06}": f"{kind}-{number}" for number in range(count)}


async def _measure(
    ground: World, env: Mapping[str, str], programs: tuple[Program, Program], shape: Shape
) -> Measured:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    api, projector = programs
    meter = Meter({"api": (api.pid,), "projector": (projector.pid,)})
    async with AsyncExitStack() as stack:
        for _ in range(5):  # what the first ones bring into the process is not theirs
            await _open(stack, env["DARKROOM_URL"], shape.idle[0])
        measured = Measured(before=meter.memory_mib("api"))
        idle: list[Ear] = []
        while len(idle) < shape.streams:
            more = min(_AT_ONCE, shape.streams - len(idle))
            keys = (shape.idle[(len(idle) + at) % len(shape.idle)] for at in range(more))
            idle += await asyncio.gather(*(_open(stack, env["DARKROOM_URL"], key) for key in keys))
        await asyncio.sleep(_SETTLE_SECONDS)
        measured.idle = meter.memory_mib("api")
        for key in [*shape.busy] * shape.tabs:
            stack.push_async_callback((await listen(env["DARKROOM_URL"], key, measured.heard)).close)
        await _append(ground, measured, meter, shape)
        measured.idle_ended = sum(ear.ended for ear in idle)
    return measured


async def _open(stack: AsyncExitStack, url: str, key: str) -> Ear:
    ear = await listen(url, key)
    stack.push_async_callback(ear.close)
    return ear


async def _append(ground: World, measured: Measured, meter: Meter, shape: Shape) -> None:
    """Whole lives of assets at a steady rate; returns once all that is due was heard, or patience is out."""
    settings = ground.settings("sse-bench")
    secret = settings.secrets.id_secret.get_secret_value().encode()
    async with pen(settings) as held, asyncio.TaskGroup() as lives:
        stories = Stories("sse", held.keys)
        people = [owner_id(f"owner-{number}", secret) for number in range(len(shape.busy))]
        for person in people:
            await stories.known(person)
        meter.begin()
        began, number = time.perf_counter(), 0
        while (due := number * 4 / shape.rate) < shape.seconds:
            if (wait := began + due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            lives.create_task(_life(held.log.append, stories, measured, number, people[number % len(people)]))
            number += 1
        measured.expected = number * _TOLD * shape.tabs
        with suppress(TimeoutError):  # what is missing by then is counted
            await asyncio.wait_for(measured.complete(), _PATIENCE_SECONDS)
        measured.used, measured.appended = meter.read(), number * 4


async def _life(append: Any, stories: Stories, measured: Measured, number: int, person: UUID) -> None:
    kinds = {
        "UploadCompleted": "asset.uploaded",
        "ProcessingStarted": "asset.processing",
        "VariantsReady": "asset.ready",
    }
    for event in stories.whole(number, person):
        await append(event, metadata(event.asset_id))
        if (kind := kinds.get(type(event).__name__)) is not None:
            measured.told(event.asset_id, kind)


def results(measured: Measured, shape: Shape) -> Results:
    """The table and the file of a finished run."""
    delays = sorted(measured.delays)
    p50, p99 = (1000 * rounds.percentile(delays, part) for part in (0.5, 0.99))
    missing = measured.expected - len(delays)
    streams, each = shape.streams, 1024 * (measured.idle - measured.before) / shape.streams
    cpu = measured.used.cpu["api"] / measured.appended * 1000 if measured.used is not None else 0.0
    return Results(
        title=f"sse: {streams:,} streams of one process, then {shape.rate:,} events a second",
        headings=("what", "figure"),
        rows=[
            ("API with no stream, MiB", f"{measured.before:.0f}"),
            (f"API with {streams:,} idle streams, MiB", f"{measured.idle:.0f}"),
            ("each stream, KiB", f"{each:.1f}"),
            ("acknowledged → heard, p50 ms", f"{p50:.0f}"),
            ("acknowledged → heard, p99 ms", f"{p99:.0f}"),
            ("streams that hear them", f"{shape.tabs * len(shape.busy):,}"),
            ("entries heard / due", f"{len(delays):,} / {measured.expected:,}"),
            ("CPU of the API, ms an event", f"{cpu:.2f}"),
        ],
        lines=(
            f"{missing} entries were not heard; {measured.idle_ended} idle streams ended by themselves.",
            "Entries that a newer state of the same asset replaced count as not heard.",
        ),
        data={
            "benchmark": "sse",
            "machine": machine.facts(("uvicorn", "psycopg")),
            "streams": streams,
            "rate": shape.rate,
            "people": len(shape.busy),
            "tabs": shape.tabs,
            "mib_before": measured.before,
            "mib_idle": measured.idle,
            "kib_a_stream": each,
            "delays_ms": [1000 * delay for delay in delays],
            "missing": missing,
        },
    )

"""`sse`: what idle streams cost in memory, and how late each entry of a steady stream of events is heard."""

import asyncio
import resource
import time
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
# Of an asset's life three events are told: uploaded, processing, ready.
_TOLD: Final = 3

Streams = Annotated[int, typer.Option(min=1, help="Idle streams, all of one process.")]
Rate = Annotated[int, typer.Option(min=4, help="Events a second.")]
Owners = Annotated[int, typer.Option(min=1, help="People whose assets the events tell of, a stream each.")]
Seconds = Annotated[float, typer.Option(min=1, help="How long events are appended.")]


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
    early: dict[tuple[str, str], float] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, said: Mapping[str, Any], moment: float) -> None:
        """An entry was heard, perhaps before its acknowledgement."""
        name = (str(said["asset_id"]), str(said["type"]))
        if name in self.acknowledged:
            self._came(moment - self.acknowledged.pop(name))
        elif said["asset_id"] is not None:
            self.early[name] = moment

    async def complete(self) -> None:
        """Returns once all that was expected has been heard."""
        while len(self.delays) < self.expected:
            self._changed.clear()
            await self._changed.wait()

    def _came(self, delay: float) -> None:
        self.delays.append(delay)
        self._changed.set()

    def told(self, asset_id: UUID, kind: str) -> None:
        """The log has the event that becomes this entry."""
        name = (str(asset_id), kind)
        if self.early.pop(name, None) is not None:
            self._came(0.0)
        else:
            self.acknowledged[name] = time.perf_counter()


def command(
    streams: Streams = 5_000,
    rate: Rate = 1_000,
    owners: Owners = 100,
    seconds: Seconds = 10.0,
    json_file: JsonFile = None,
) -> None:
    """Memory of idle streams; then, with all of them open, the delay of a steady stream of events."""
    with world() as ground:
        keys = {f"bench-key-of-owner-{number:06}": f"owner-{number}" for number in range(owners)}
        spelled = ",".join(f"{key}:{owner}:user" for key, owner in keys.items())
        shape = {
            "SSE_STREAMS_PER_USER": "1000",
            "SSE_LIFETIME": "1h",
            "CONNECTIONS_PER_NETWORK": "0",
            "API_KEYS": f"{ground.env['API_KEYS']},{spelled}",
        }
        env = {**ground.env, **GENEROUS, "RATE_STRANGERS": "off", **shape}
        api, projector = Program(["api"], env, ground.folder), Program(["projections"], env, ground.folder)
        with running(projector, api):
            projector.wait_ready()
            api.wait_ready(f"{env['DARKROOM_URL']}/readyz")
            measured = asyncio.run(
                _measure(ground, env, (api, projector), list(keys), streams, rate, seconds)
            )
    show(results(measured, streams, rate), json_file)


async def _measure(
    ground: World,
    env: Mapping[str, str],
    programs: tuple[Program, Program],
    keys: Sequence[str],
    streams: int,
    rate: int,
    seconds: float,
) -> Measured:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    api, projector = programs
    meter = Meter({"api": (api.pid,), "projector": (projector.pid,)})
    async with AsyncExitStack() as stack:
        warm = [await _open(stack, env["DARKROOM_URL"], keys[0]) for _ in range(5)]
        measured = Measured(before=meter.memory_mib("api"))
        idle = [*warm]
        while len(idle) < streams:
            more = min(_AT_ONCE, streams - len(idle))
            opening = (
                _open(stack, env["DARKROOM_URL"], keys[(len(idle) + at) % len(keys)]) for at in range(more)
            )
            idle += await asyncio.gather(*opening)
        await asyncio.sleep(_SETTLE_SECONDS)
        measured.idle = meter.memory_mib("api")
        for key in keys:
            stack.push_async_callback((await listen(env["DARKROOM_URL"], key, measured.heard)).close)
        await _append(ground, measured, meter, len(keys), rate, seconds)
        measured.idle_ended = sum(ear.ended for ear in idle)
    return measured


async def _open(stack: AsyncExitStack, url: str, key: str) -> Ear:
    ear = await listen(url, key)
    stack.push_async_callback(ear.close)
    return ear


async def _append(
    ground: World, measured: Measured, meter: Meter, owners: int, rate: int, seconds: float
) -> None:
    """Whole lives of assets at a steady rate; returns once all that is due was heard, or patience is out."""
    settings = ground.settings("sse-bench")
    secret = settings.secrets.id_secret.get_secret_value().encode()
    async with pen(settings) as held, asyncio.TaskGroup() as lives:
        stories = Stories("sse", held.keys)
        people = [owner_id(f"owner-{number}", secret) for number in range(owners)]
        for person in people:
            await stories.known(person)
        meter.begin()
        began, number = time.perf_counter(), 0
        while (due := number * 4 / rate) < seconds:
            if (wait := began + due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            lives.create_task(_life(held.log.append, stories, measured, number, people[number % owners]))
            number += 1
        measured.expected = number * _TOLD
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


def results(measured: Measured, streams: int, rate: int) -> Results:
    """The table and the file of a finished run."""
    delays = sorted(measured.delays)
    p50, p99 = (1000 * rounds.percentile(delays, part) for part in (0.5, 0.99))
    missing = measured.expected - len(delays)
    each = 1024 * (measured.idle - measured.before) / streams
    cpu = measured.used.cpu["api"] / measured.appended * 1000 if measured.used is not None else 0.0
    return Results(
        title=f"sse: {streams:,} streams of one process, then {rate:,} events a second beside them",
        headings=("what", "figure"),
        rows=[
            ("API with no stream, MiB", f"{measured.before:.0f}"),
            (f"API with {streams:,} idle streams, MiB", f"{measured.idle:.0f}"),
            ("each stream, KiB", f"{each:.1f}"),
            ("acknowledged → heard, p50 ms", f"{p50:.0f}"),
            ("acknowledged → heard, p99 ms", f"{p99:.0f}"),
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
            "rate": rate,
            "mib_before": measured.before,
            "mib_idle": measured.idle,
            "kib_a_stream": each,
            "delays_ms": [1000 * delay for delay in delays],
            "missing": missing,
        },
    )

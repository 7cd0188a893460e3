"""`backlog`: how fast the doors answer while the projector works off what waits, beside their idle time."""

import asyncio
import signal
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Annotated

import aiohttp
import psycopg
import typer

from projections.topic import ends
from tests.bench import machine, rounds
from tests.bench.door_calls import PASSWORD, asked, asset_of, client_session, registered, until_read
from tests.bench.ground import GENEROUS, world
from tests.bench.projector_rounds import TOGETHER, fill, until_applied
from tests.bench.results import JsonFile, Results, Rounds, progress, show
from tests.bench.steady import steadily, steadily_while
from tests.programs import Program, running
from tests.servers import World

_ASSETS = 20
_EMAIL = "ada@example.org"
_CALLERS = 64

Events = Annotated[int, typer.Option(min=4 * TOGETHER, help="Events that wait, of whole lives of four each.")]
Rate = Annotated[int, typer.Option(min=1, help="Reads a second, details and lists in turns.")]
Seconds = Annotated[float, typer.Option(min=1, help="Length of each idle turn.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Latencies of reads in ms, idle and beside the backlog, and how long that took to be applied."""

    idle_ms: Sequence[float]
    beside_ms: Sequence[float]
    events: int
    seconds: float


def command(
    events: Events = 10_000,
    rate: Rate = 200,
    seconds: Seconds = 5.0,
    count: Rounds = 5,
    json_file: JsonFile = None,
) -> None:
    """Latency of reads at a steady rate: when nothing waits, and while a backlog is applied."""
    with world() as ground:
        api = Program(["api"], {**ground.env, **GENEROUS}, ground.folder)
        projector = Program(["projections"], ground.env, ground.folder)
        with running(api, projector):
            api.wait_ready(f"{ground.env['DARKROOM_URL']}/readyz")
            projector.wait_ready()
            measured = asyncio.run(_measure(ground, projector, events, rate, seconds, count))
    show(results(measured, rate), json_file)


async def _measure(
    ground: World, projector: Program, events: int, rate: int, seconds: float, count: int
) -> list[Round]:
    """Rounds of both, the first not counted."""
    measured: list[Round] = []
    async with client_session(_CALLERS) as session:
        call = await _reads(ground, session)
        with progress() as bar:
            for number in bar.track(range(-1, count), description="rounds"):
                idle = await steadily(call, rate=rate, seconds=seconds)
                beside, took, waited = await _beside(ground, projector, call, rate, events, number)
                if number >= 0:
                    measured.append(
                        Round(idle_ms=_ms(idle), beside_ms=_ms(beside), events=waited, seconds=took)
                    )
    return measured


async def _reads(ground: World, session: aiohttp.ClientSession) -> Callable[[], Awaitable[None]]:
    """Details and lists of 20 in turns, of an account that has them."""
    url = ground.env["DARKROOM_URL"]
    account = await registered(session, url, _EMAIL)
    assets = [await asset_of(ground, account.user_id, f"harbour-{number}") for number in range(_ASSETS)]
    body = {"email": _EMAIL, "password": PASSWORD}
    async with session.post(f"{url}/v1/auth/login", json=body) as answer:
        headers = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
    get = partial(asked, session, "GET", headers=headers)
    details = [f"{url}/v1/assets/{asset}" for asset in assets]
    await until_read(partial(get, details[-1]))
    addresses = cycle(each for detail in details for each in (detail, f"{url}/v1/assets?limit={_ASSETS}"))

    async def call() -> None:
        await get(next(addresses))

    return call


async def _beside(
    ground: World,
    projector: Program,
    call: Callable[[], Awaitable[None]],
    rate: int,
    events: int,
    number: int,
) -> tuple[list[float], float, int]:
    """Reads from the moment at which the projector may go on until it has applied what waits."""
    settings = ground.settings(f"backlog-{number}")
    topic = settings.kafka.topics.assets
    before = sum(ends(settings.kafka, topic).values())
    projector.send(signal.SIGSTOP)  # its start would be measured otherwise
    try:
        await fill(ground, events // 4, f"backlog-{number}")
    finally:
        projector.send(signal.SIGCONT)
    target = sum(ends(settings.kafka, topic).values())
    with psycopg.connect(settings.postgres.url.get_secret_value(), autocommit=True) as conn:
        began = time.perf_counter()
        applied = asyncio.create_task(asyncio.to_thread(until_applied, projector, conn, settings, target))
        latencies = await steadily_while(call, rate=rate, goes_on=lambda: not applied.done())
        await applied
        return latencies, time.perf_counter() - began, target - before


def _ms(latencies: Sequence[float]) -> list[float]:
    return [1000 * each for each in latencies]


def results(measured: Sequence[Round], rate: int) -> Results:
    """The table, the ratio and the file of a finished run."""
    idle = [each for one in measured for each in one.idle_ms]
    beside = [each for one in measured for each in one.beside_ms]
    applied = statistics.median(one.events / one.seconds for one in measured)
    ratio = rounds.percentile(beside, 0.99) / rounds.percentile(idle, 0.99)
    return Results(
        title=f"backlog: {rate} reads a second, all rounds",
        headings=("reads", "calls", "p50 ms", "p99 ms", "longest ms"),
        rows=[_row("idle", idle), _row("beside a backlog", beside)],
        lines=(
            f"p99 beside a backlog of {measured[0].events:,} events: {ratio:.2f} × idle.",
            f"Median: {applied:,.0f} events/s applied meanwhile.",
        ),
        data={
            "benchmark": "backlog",
            "machine": machine.facts(("fastapi", "uvicorn", "psycopg")),
            "rate": rate,
            "p99_of_idle": ratio,
            "events_per_second": applied,
            "rounds": [
                {"events": one.events, "seconds": one.seconds, "idle": list(one.idle_ms)}
                | {"beside": list(one.beside_ms)}
                for one in measured
            ],
        },
    )


def _row(name: str, latencies: Sequence[float]) -> tuple[str, ...]:
    p50, p99 = rounds.percentile(latencies, 0.5), rounds.percentile(latencies, 0.99)
    return (name, f"{len(latencies):,}", f"{p50:.1f}", f"{p99:.1f}", f"{max(latencies):.1f}")

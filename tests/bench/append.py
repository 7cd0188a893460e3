"""`append`: from a request to its 2xx, which comes after the log's acknowledgement, at a steady rate."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count as counting
from typing import Annotated

import aiohttp
import typer

from tests.bench import machine, rounds
from tests.bench.ground import GENEROUS, Pen, metadata, pen, world
from tests.bench.meters import Meter, Reading, server_pids
from tests.bench.results import JsonFile, Results, Rounds, progress, show
from tests.bench.steady import steadily
from tests.programs import Program, running
from tests.servers import World
from tests.unit.projections.stories import Stories

HTTP, BARE = "POST /v1/uploads/presign", "append alone"
_BODY = {"file_name": "photo.jpg", "content_type": "image/jpeg", "size": 2_000_000, "title": "A title"}

Rate = Annotated[int, typer.Option(min=1, help="Requests a second.")]
Seconds = Annotated[float, typer.Option(min=1, help="Length of each round.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One way's round: latencies in ms, and ms of CPU a call by program."""

    latencies_ms: Sequence[float]
    cpu_ms: Mapping[str, float]


def command(rate: Rate = 200, seconds: Seconds = 10.0, count: Rounds = 5, json_file: JsonFile = None) -> None:
    """Latency of a validated, sealed, acknowledged append over HTTP, beside the log's append alone."""
    with world() as ground:
        api = Program(["api"], {**ground.env, **GENEROUS}, ground.folder)
        with running(api):
            api.wait_ready(f"{ground.env['DARKROOM_URL']}/readyz")
            measured = asyncio.run(_measure(ground, api, rate, seconds, count))
    show(results(measured, rate), json_file)


async def _measure(
    ground: World, api: Program, rate: int, seconds: float, count: int
) -> dict[str, list[Round]]:
    """Rounds of both ways in turns, the first of each not counted."""
    measured: dict[str, list[Round]] = {HTTP: [], BARE: []}
    meter = Meter({"api": (api.pid,), **server_pids(ground)})
    async with _session(ground) as session, pen(ground.settings("append")) as held:
        calls: dict[str, Callable[[], Awaitable[None]]] = {
            HTTP: partial(_post, session),
            BARE: await _appender(held),
        }
        with progress() as bar:
            for number in bar.track(range(-1, count), description="rounds"):
                for name in rounds.turns(tuple(calls), number + 1):
                    meter.begin()
                    latencies = await steadily(calls[name], rate=rate, seconds=seconds)
                    if number >= 0:
                        measured[name].append(_round(latencies, meter.read()))
    return measured


def _session(ground: World) -> aiohttp.ClientSession:
    key = ground.env["API_KEYS"].partition(":")[0]
    return aiohttp.ClientSession(
        ground.env["DARKROOM_URL"], headers={"Authorization": f"Bearer {key}"}, raise_for_status=True
    )


async def _post(session: aiohttp.ClientSession) -> None:
    async with session.post("/v1/uploads/presign", json=_BODY) as answer:
        await answer.read()


async def _appender(held: Pen) -> Callable[[], Awaitable[None]]:
    stories, numbers = Stories("append", held.keys), counting()
    owner = await stories.owner("ada")

    async def append() -> None:
        event = stories.requested(next(numbers), owner)
        await held.log.append(event, metadata(event.asset_id))

    return append


def _round(latencies: Sequence[float], used: Reading) -> Round:
    return Round(
        latencies_ms=[1000 * latency for latency in latencies],
        cpu_ms={program: 1000 * spent / len(latencies) for program, spent in used.cpu.items()},
    )


def results(measured: Mapping[str, Sequence[Round]], rate: int) -> Results:
    """The table and the file of a finished run."""
    p99 = {name: [_percentile(one, 0.99) for one in of] for name, of in measured.items()}
    return Results(
        title=f"append: {rate} a second, latency from the moment each was due, medians over rounds",
        headings=("way", "p50 ms", "p95 ms", "p99 ms", "worst ms", "api CPU ms", "kafka CPU ms"),
        rows=[_row(name, of) for name, of in measured.items()],
        lines=(f"HTTP's p99 is {rounds.paired(p99[HTTP], p99[BARE]):.1f} times that of the append alone.",),
        data={
            "benchmark": "append",
            "machine": machine.facts(("confluent-kafka", "fastapi", "uvicorn")),
            "rate": rate,
            "ways": {name: [_figures(one) for one in of] for name, of in measured.items()},
        },
    )


def _percentile(one: Round, part: float) -> float:
    return rounds.percentile(one.latencies_ms, part)


def _row(name: str, of: Sequence[Round]) -> tuple[str, ...]:
    return (
        name,
        *(
            f"{statistics.median(_percentile(one, part) for one in of):.1f}"
            for part in (0.5, 0.95, 0.99, 1.0)
        ),
        *(
            f"{statistics.median(one.cpu_ms.get(program, 0.0) for one in of):.2f}"
            for program in ("api", "kafka")
        ),
    )


def _figures(one: Round) -> dict[str, object]:
    percentiles = {f"p{100 * part:g}_ms": _percentile(one, part) for part in (0.5, 0.95, 0.99, 1.0)}
    return {"calls": len(one.latencies_ms), **percentiles, "cpu_ms_a_call": dict(one.cpu_ms)}

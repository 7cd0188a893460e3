"""`latency`: from an upload's 202 to the stream's word that it is ready, alone and beside other work."""

import asyncio
import json
import statistics
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ops.stack.products import inherited
from tests.bench import machine, rounds
from tests.bench.ground import GENEROUS, world
from tests.bench.pictures import pictures
from tests.bench.results import JsonFile, Results, show
from tests.bench.uploaders import Uploader, Wait, many, uploader
from tests.programs import ROOT, Program, running
from tests.servers import World

IDLE, LOADED, BULK, FLOODED = "idle", "under load", "beside a run", "beside a flood"
_OTHERS: Final = "bench-key-of-everybody-else"
_WARM: Final = 10
_AT_ONCE: Final = 6
_FLOODERS: Final = 16
_MADE_SECONDS: Final = 300.0
# Not what is active at first, so that a run to it has something to render.
_ANOTHER_SET: Final = [
    {"name": name, "width": side, "height": side, "fit": "contain", "formats": ["auto"], "quality": 80}
    for name, side in (("thumbnail", 160), ("small", 500), ("medium", 1000), ("large", 1600))
]
# Where the time goes, by the log's clock: to the worker's start, to its word in the log, and to the stream.
_STEPS: Final = ("begun", "made", "told")

Uploads = Annotated[int, typer.Option(min=1, help="Measured uploads of each kind, one after the other.")]
Load = Annotated[float, typer.Option(min=0, help="Uploads a second of others meanwhile; 0 leaves it out.")]
Bulk = Annotated[int, typer.Option(min=0, help="Images of a run under way; 0 leaves it out.")]
Flood = Annotated[int, typer.Option(min=0, help="Uploads of one other person at once; 0 leaves it out.")]


@dataclass(slots=True)
class Measured:
    """The waits of each kind, where the time of each went, and sentences about what went on meanwhile."""

    waits: dict[str, Sequence[Wait]] = field(default_factory=dict)
    steps: dict[str, Sequence[Sequence[float]]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def command(
    uploads: Uploads = 50,
    load: Load = 5.0,
    bulk: Bulk = 0,
    flood: Flood = 0,
    folder: Annotated[
        Path | None, typer.Argument(help="Pictures; a drawn one of 2 MP where left out.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Upload completed → ready over the stream, one photograph at a time, idle and while others do things."""
    with pictures(folder) as found, world() as ground:
        picture = next((path for path in found if "2mp" in path.name), found[0]).read_bytes()
        keys = {"API_KEYS": f"{ground.env['API_KEYS']},{_OTHERS}:others:user"}
        env = {**ground.env, **GENEROUS, **keys}
        names = (["projections"], ["processors", "variants"], ["api"])
        programs = [Program(name, env, ground.folder) for name in names]
        if bulk or flood:  # as the stack has them
            one_child = {**env, "WORKER_CHILDREN": "1"}
            programs.append(Program(["processors", "variants", "--lane", "bulk"], one_child, ground.folder))
            programs.append(Program(["ops", "housekeeping", "run"], env, ground.folder))
        with running(*programs):
            for program in programs:
                program.wait_ready()
            measured = asyncio.run(_measure(ground, env["DARKROOM_URL"], picture, uploads, load, bulk, flood))
    show(results(measured, {"uploads": uploads, "load": load, "bulk": bulk, "flood": flood}), json_file)


async def _measure(
    ground: World, url: str, picture: bytes, uploads: int, load: float, bulk: int, flood: int
) -> Measured:
    measured = Measured()
    async with AsyncExitStack() as stack:
        me = await uploader(stack, url, ground.env["API_KEYS"].partition(":")[0], picture)
        others = await uploader(stack, url, _OTHERS, picture)
        await me.series(_WARM)
        await _series(measured, IDLE, me, uploads)
        if load:
            async with _crowd(others, load):
                await _series(measured, LOADED, me, uploads)
            await others.until(lambda: others.ready >= others.answered, _MADE_SECONDS)
        if bulk:
            before = await _run_begun(ground, others, bulk)
            await _series(measured, BULK, me, uploads)
            measured.lines.append(_of_the_run(others.ready - before, bulk))
            await others.until(lambda: not flood or others.ready >= before + bulk, _MADE_SECONDS)
        if flood:
            async with _flooding(others, flood, measured):
                await _series(measured, FLOODED, me, uploads)
    return measured


async def _series(measured: Measured, name: str, me: Uploader, uploads: int) -> None:
    waits = measured.waits[name] = await me.series(uploads)
    measured.steps[name] = [_steps(await me.history(wait.asset_id), wait) for wait in waits]


def _steps(history: Sequence[Mapping[str, Any]], wait: Wait) -> Sequence[float]:
    """Seconds of each of _STEPS."""
    logged = {step["event"]: datetime.fromisoformat(step["logged_at"]).timestamp() for step in history}
    completed, started, ready = (
        logged[name] for name in ("UploadCompleted", "ProcessingStarted", "VariantsReady")
    )
    return started - completed, ready - started, wait.heard_at - ready


@asynccontextmanager
async def _crowd(others: Uploader, rate: float) -> AsyncIterator[None]:
    """Others upload at a steady rate, ready or not."""

    async def come() -> None:
        async with asyncio.TaskGroup() as uploads:
            while True:
                uploads.create_task(others.upload())
                await asyncio.sleep(1 / rate)

    async with _meanwhile(come()):
        yield


@asynccontextmanager
async def _flooding(others: Uploader, count: int, measured: Measured) -> AsyncIterator[None]:
    """One other person uploads as fast as the doors answer, from the moment that measuring begins."""
    answered, ready = others.answered, others.ready
    async with _meanwhile(many(others.upload, count, at_once=_FLOODERS)):
        yield
    answered, ready = others.answered - answered, others.ready - ready
    measured.lines.append(
        f"Of a flood of {count:,} uploads {answered:,} came meanwhile; {ready:,} got ready."
    )


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def _run_begun(ground: World, others: Uploader, count: int) -> int:
    """Leaves the others with so many ready assets and a run that renders all of them anew.

    Returns how often they had heard ready when it began.
    """
    await many(others.upload, count, at_once=_AT_ONCE)
    await others.until(lambda: others.ready >= others.answered, _MADE_SECONDS)
    before = others.ready
    file = ground.folder / "presets.json"
    file.write_text(json.dumps(_ANOTHER_SET))
    applied = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops", "presets", "apply", str(file)),
        cwd=ROOT,
        env={**inherited(), **ground.env},
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await applied.wait():
        raise RuntimeError("the set could not be applied")
    await others.until(lambda: others.ready > before)
    return before


def _of_the_run(made: int, count: int) -> str:
    if made < count:
        return (
            f"Of a run over {count:,} images {made:,} were made by the end; it was under way all the while."
        )
    return f"The run over {count:,} images ended too early: measure fewer uploads, or take a larger run."


def results(measured: Measured, asked: Mapping[str, float]) -> Results:
    """The table, where the time went, and the file of a finished run."""
    seconds = {name: [wait.seconds for wait in waits] for name, waits in measured.waits.items()}
    figures = {name: _figures(of, seconds[IDLE]) for name, of in seconds.items()}
    steps = {
        name: [1000 * statistics.median(step) for step in zip(*of, strict=True)]
        for name, of in measured.steps.items()
    }
    return Results(
        title="latency: an upload's 202 → the stream says ready",
        headings=("while", "uploads", "p50 ms", "p99 ms", "p50 × idle", *(f"{step} ms" for step in _STEPS)),
        rows=[
            (
                name,
                f"{len(seconds[name]):,}",
                f"{of['p50_ms']:.0f}",
                f"{of['p99_ms']:.0f}",
                f"{of['of_idle']:.2f}",
                *(f"{step:.0f}" for step in steps[name]),
            )
            for name, of in figures.items()
        ],
        lines=(
            "Medians by the log's clock: until the worker began, had made the variants, and the stream told.",
            *measured.lines,
        ),
        data={
            "benchmark": "latency",
            "machine": machine.facts(("faust-streaming", "pillow", "uvicorn")),
            **asked,
            "figures": figures,
            "steps_ms": {name: dict(zip(_STEPS, of, strict=True)) for name, of in steps.items()},
            "seconds": seconds,
            "meanwhile": measured.lines,
        },
    )


def _figures(seconds: Sequence[float], idle: Sequence[float]) -> dict[str, float]:
    p50, p99 = (rounds.percentile(seconds, part) for part in (0.5, 0.99))
    return {"p50_ms": 1000 * p50, "p99_ms": 1000 * p99, "of_idle": p50 / rounds.percentile(idle, 0.5)}

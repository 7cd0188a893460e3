"""`pipeline`: images a second from completed upload to ready rows, beside a bare loop of recipe and store."""

import asyncio
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from adapters.object_store import S3ObjectStore
from adapters.telemetry import Metrics
from ops.stack.products import inherited
from tests.bench import machine, rounds
from tests.bench.ground import pen, world
from tests.bench.meters import Meter, Reading, server_pids
from tests.bench.partners import Partner
from tests.bench.pictures import pictures, shrunk
from tests.bench.pipeline_rounds import Arrow, bare_round, put_originals, rows_of
from tests.bench.results import Folder, JsonFile, Results, Rounds, progress, show
from tests.programs import Program, running
from tests.servers import World

_SMALL = (640, 480)
_CORES = os.cpu_count() or 1
# What the log and the rows cost, beside making and storing pictures.
_LOG_AND_ROWS = ("kafka", "projector", "postgres")
_COLUMNS = ("worker", "projector", "kafka", "postgres", "store")

# Servers in Java go on getting faster for some thousand calls.
_WARM_ROUNDS = 3
_WARM_RECORDS = 20_000

Images = Annotated[int, typer.Option(min=1, help="Images a round; three times as many small ones.")]
Children = Annotated[int, typer.Option(min=1, help="The worker's sandboxed children, and bare processes.")]
Sets = Mapping[str, tuple[Sequence[Path], int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One round of one set of pictures: through the whole arrow, and through the bare loop."""

    images: int
    arrow: Reading
    bare: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All rounds by set, and MiB of memory by program at the end."""

    pairs: Mapping[str, Sequence[Pair]]
    memory: Mapping[str, float]


def command(
    folder: Folder = None,
    count: Rounds = 5,
    images: Images = 100,
    children: Children = _CORES,
    json_file: JsonFile = None,
) -> None:
    """Images a second end to end with CPU by process, beside a bare loop, on pictures and on small ones."""
    with pictures(folder) as found, shrunk(found, _SMALL) as small, world() as ground:
        sets = {"pictures": (found, images), "small": (small, 3 * images)}
        env = {**ground.env, "WORKER_CHILDREN": str(children), "WORKER_SLOT": "0"}
        worker = Program(["processors", "variants"], env, ground.folder)
        projector = Program(["projections"], ground.env, ground.folder)
        with running(projector, worker):
            projector.wait_ready()
            worker.wait_ready()
            roots = {"worker": (worker.pid,), "projector": (projector.pid,), **server_pids(ground)}
            measured = asyncio.run(_measure(ground, sets, roots, count, children))
    show(results(measured), json_file)


async def _measure(
    ground: World, sets: Sets, roots: Mapping[str, Sequence[int]], count: int, processes: int
) -> Measured:
    """Rounds in turns, the first _WARM_ROUNDS of each not counted."""
    settings = ground.settings("pipeline")
    servers = {name: pids for name, pids in roots.items() if name in _COLUMNS[2:]}
    pairs: dict[str, list[Pair]] = {name: [] for name in sets}
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(pen(settings))
        store = S3ObjectStore(settings.store, metrics=Metrics().store)
        stack.push_async_callback(store.close)
        rows = await stack.enter_async_context(await rows_of(ground.env["DATABASE_URL"]))
        arrow = Arrow(pen=held, rows=rows, owner_id=uuid4(), roots=roots)
        bare = [stack.enter_context(_bare(ground, number)) for number in range(processes)]
        await arrow.warm(_WARM_RECORDS)
        with progress() as bar:
            for number in bar.track(range(-_WARM_ROUNDS, count), description="rounds"):
                for name, (found, images) in sets.items():
                    originals = await put_originals(store, found, images)
                    whole = await arrow.round(originals)
                    alone = await asyncio.to_thread(bare_round, bare, originals, servers)
                    if number >= 0:
                        pairs[name].append(Pair(images=images, arrow=whole, bare=alone))
        return Measured(pairs=pairs, memory=_memory(Meter(roots), tuple(roots)))


def _memory(meter: Meter, programs: Sequence[str]) -> dict[str, float]:
    """The programs' memory, and of the worker what its own process and its largest child have resident."""
    own, *children = meter.process_mib("worker")
    parts = {"worker's own process": own, "its largest child": max(children, default=0.0)}
    return {name: meter.memory_mib(name) for name in programs} | parts


def _bare(ground: World, number: int) -> Partner:
    command = [sys.executable, "-m", "tests.bench.bare_worker"]
    return Partner(f"bare {number}", command, env={**inherited(), **ground.env})


def results(measured: Measured) -> Results:
    """The table, the ratios and the file of a finished run."""
    ratios = {
        name: rounds.paired([_rate(pair, pair.arrow) for pair in of], [_rate(pair, pair.bare) for pair in of])
        for name, of in measured.pairs.items()
    }
    return Results(
        title="pipeline: completed upload in the log → variants in the store → ready rows",
        headings=("set", "images/s", "bare loop", "of bare", *(f"{name} ms" for name in _COLUMNS), "bare ms"),
        rows=[_row(name, of, ratios[name]) for name, of in measured.pairs.items()],
        lines=(
            "Columns in ms are CPU an image, by process tree; the bare loop's without its store.",
            *(
                f"{name}: log and rows take {_sum(of):.1f} ms CPU an image."
                for name, of in measured.pairs.items()
            ),
            "Memory: " + ", ".join(f"{name} {mib:.0f} MiB" for name, mib in measured.memory.items()) + ".",
        ),
        data={
            "benchmark": "pipeline",
            "machine": machine.facts(("pillow", "faust-streaming", "obstore", "confluent-kafka")),
            "of_bare": ratios,
            "memory_mib": measured.memory,
            "sets": {name: [_figures(pair) for pair in of] for name, of in measured.pairs.items()},
        },
    )


def _rate(pair: Pair, reading: Reading) -> float:
    return pair.images / reading.seconds


def _cpu_ms(of: Sequence[Pair], name: str) -> float:
    return statistics.median(1000 * pair.arrow.cpu.get(name, 0.0) / pair.images for pair in of)


def _sum(of: Sequence[Pair]) -> float:
    return sum(_cpu_ms(of, name) for name in _LOG_AND_ROWS)


def _row(name: str, of: Sequence[Pair], ratio: float) -> tuple[str, ...]:
    return (
        name,
        f"{statistics.median(_rate(pair, pair.arrow) for pair in of):.1f}",
        f"{statistics.median(_rate(pair, pair.bare) for pair in of):.1f}",
        f"{ratio:.2f}",
        *(f"{_cpu_ms(of, column):.1f}" for column in _COLUMNS),
        f"{statistics.median(1000 * pair.bare.cpu['bare'] / pair.images for pair in of):.1f}",
    )


def _figures(pair: Pair) -> dict[str, object]:
    def figures(reading: Reading) -> dict[str, object]:
        milliseconds = {name: 1000 * used / pair.images for name, used in reading.cpu.items()}
        return {"images_per_second": _rate(pair, reading), "cpu_ms_an_image": milliseconds}

    return {"images": pair.images, "arrow": figures(pair.arrow), "bare": figures(pair.bare)}

"""`sandbox`: what a job costs in a confined child, beside the same job in process, on one core."""

import statistics
import sys
from collections.abc import Mapping
from contextlib import ExitStack

from tests.bench import machine
from tests.bench.contenders import Done
from tests.bench.imaging import Samples, measure
from tests.bench.partners import Partner
from tests.bench.pictures import pictures
from tests.bench.results import Folder, JsonFile, Results, Rounds, show

BARE, KEPT, FRESH = "in process", "kept child", "fresh child"
_COMMANDS = {
    BARE: ("tests.bench.recipe_worker", "recipe"),
    KEPT: ("tests.bench.sandbox_worker", "kept"),
    FRESH: ("tests.bench.sandbox_worker", "fresh"),
}


def command(folder: Folder = None, count: Rounds = 15, json_file: JsonFile = None) -> None:
    """Overhead of the sandbox a job: one child for many jobs of an owner, and a new child for each job."""
    with pictures(folder) as found, machine.one_core(), ExitStack() as stack:
        contenders = {
            name: stack.enter_context(Partner(name, [sys.executable, "-m", *words]))
            for name, words in _COMMANDS.items()
        }
        mode = contenders[KEPT].ready
        samples = measure(contenders, found, count)
    show(results(samples, mode), json_file)


def overheads(samples: Samples, name: str, picture: str) -> list[tuple[float, float]]:
    """By how many ms, of wall and of processor, each round's job took longer than the one in process."""
    pairs = zip(samples[name][picture], samples[BARE][picture], strict=True)
    return [(one.wall_ms - bare.wall_ms, one.cpu_ms - bare.cpu_ms) for one, bare in pairs]


def results(samples: Samples, mode: str) -> Results:
    """The table and the file of a finished run."""
    added = {
        name: {picture: overheads(samples, name, picture) for picture in samples[BARE]}
        for name in (KEPT, FRESH)
    }
    rows = [_row(picture, samples, added) for picture in samples[BARE]]
    lines = [
        f"{name}: {_median(of, 0):+.2f} ms of wall and {_median(of, 1):+.2f} ms of CPU a job (median)."
        for name, of in added.items()
    ]
    return Results(
        title=f"sandbox ({mode}): a job in a child beside the job in process, medians over rounds",
        headings=(
            "picture",
            "in process, ms",
            f"{KEPT}, ms",
            "more wall",
            "more CPU",
            f"{FRESH}, ms",
            "more wall",
        ),
        rows=rows,
        lines=lines,
        data={
            "benchmark": "sandbox",
            "machine": machine.facts(("pillow", "pyseccomp")),
            "mode": mode,
            "overhead_ms": {
                name: {"wall": _median(of, 0), "cpu": _median(of, 1)} for name, of in added.items()
            },
            "pictures": {picture: _figures(picture, samples) for picture in samples[BARE]},
        },
    )


def _median(by_picture: Mapping[str, list[tuple[float, float]]], at: int) -> float:
    return statistics.median(pair[at] for pairs in by_picture.values() for pair in pairs)


def _row(
    picture: str, samples: Samples, added: Mapping[str, Mapping[str, list[tuple[float, float]]]]
) -> tuple[str, ...]:
    wall = {name: statistics.median(done.wall_ms for done in of[picture]) for name, of in samples.items()}
    kept, fresh = added[KEPT][picture], added[FRESH][picture]
    return (
        picture,
        f"{wall[BARE]:.1f}",
        f"{wall[KEPT]:.1f}",
        f"{statistics.median(pair[0] for pair in kept):+.2f}",
        f"{statistics.median(pair[1] for pair in kept):+.2f}",
        f"{wall[FRESH]:.1f}",
        f"{statistics.median(pair[0] for pair in fresh):+.2f}",
    )


def _figures(picture: str, samples: Samples) -> dict[str, object]:
    def rounded(sample: list[Done]) -> dict[str, object]:
        return {
            "wall_ms": [round(done.wall_ms, 3) for done in sample],
            "cpu_ms": [round(done.cpu_ms, 3) for done in sample],
        }

    return {name: rounded(of[picture]) for name, of in samples.items()}

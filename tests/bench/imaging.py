"""`imaging`: processor time, memory and quality of our recipe beside sharp's, on one core."""

import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from tests.bench import machine, rounds
from tests.bench.contenders import Done, do
from tests.bench.node import peer_command
from tests.bench.partners import Partner
from tests.bench.pictures import pictures
from tests.bench.quality import Qualities, compare, verdicts
from tests.bench.results import Folder, JsonFile, Results, Rounds, progress, show

OURS, FLOOR, TYPICAL, TUNED = "darkroom", "floor", "sharp typical", "sharp tuned"

Samples = Mapping[str, Mapping[str, list[Done]]]


def command(
    folder: Folder = None,
    count: Rounds = 7,
    json_file: JsonFile = None,
    node: Annotated[Path | None, typer.Option(dir_okay=False, help="Another node than the PATH's.")] = None,
    quality: Annotated[bool, typer.Option(help="Compare the variants with a full-size reference.")] = True,
) -> None:
    """CPU ms, memory and quality an image: our recipe, what decoding and encoding alone take, and sharp."""
    with pictures(folder) as found, machine.one_core(), ExitStack() as stack:
        contenders = {
            name: stack.enter_context(Partner(name, line)) for name, line in _commands(node).items()
        }
        samples = measure(contenders, found, count)
        lookers = {name: contender for name, contender in contenders.items() if name != FLOOR}
        qualities = compare(lookers, found) if quality else {}
        versions = {name: contender.ready for name, contender in contenders.items()}
    show(results(samples, qualities, versions), json_file)


def _commands(node: Path | None) -> dict[str, list[str]]:
    ours = [sys.executable, "-m", "tests.bench.recipe_worker"]
    return {
        OURS: [*ours, "recipe"],
        FLOOR: [*ours, "floor"],
        TYPICAL: peer_command("sharp", "typical", node=node),
        TUNED: peer_command("sharp", "tuned", node=node),
    }


def measure(contenders: Mapping[str, Partner], found: Sequence[Path], count: int) -> Samples:
    """Every contender on every picture in every round: by contender, then by picture, a sample a round."""
    samples: Samples = {name: {path.name: [] for path in found} for name in contenders}
    paths = {path.name: path for path in found}
    plan = list(rounds.schedule(tuple(contenders), tuple(paths), count))
    with progress() as bar:
        for number, picture, name in bar.track(plan, description="measuring"):
            done = do(contenders[name], paths[picture])
            if number >= 0:
                samples[name][picture].append(done)
    return samples


def results(samples: Samples, qualities: Qualities, versions: Mapping[str, str]) -> Results:
    """The table, the ratios and the file of a finished run."""
    cpu = {
        name: {picture: [done.cpu_ms for done in sample] for picture, sample in by_picture.items()}
        for name, by_picture in samples.items()
    }
    headings = (
        "picture",
        *(f"{name} ms" for name in cpu),
        "typical ÷ ours",
        "tuned ÷ ours",
        "our MiB",
        "tuned MiB",
    )
    rows = [_row(picture, cpu, samples) for picture in cpu[OURS]]
    ratios = {
        name: rounds.paired(rounds.totals(cpu[name]), rounds.totals(cpu[OURS])) for name in (TYPICAL, TUNED)
    }
    ratios["over " + FLOOR] = rounds.paired(rounds.totals(cpu[OURS]), rounds.totals(cpu[FLOOR]))
    return Results(
        title="imaging: CPU of one image on one core, medians over rounds",
        headings=headings,
        rows=rows,
        lines=(_summary(ratios), *verdicts(qualities, OURS)),
        data={
            "benchmark": "imaging",
            "machine": machine.facts(("pillow", "cykooz-resizer", "numpy")),
            "contenders": versions,
            "ratios": ratios,
            "pictures": {picture: _figures(picture, samples, qualities) for picture in cpu[OURS]},
        },
    )


def _row(picture: str, cpu: Mapping[str, Mapping[str, list[float]]], samples: Samples) -> tuple[str, ...]:
    median = {name: statistics.median(by_picture[picture]) for name, by_picture in cpu.items()}
    ratios = [rounds.paired(cpu[name][picture], cpu[OURS][picture]) for name in (TYPICAL, TUNED)]
    peaks = [max(done.peak_mib for done in samples[name][picture]) for name in (OURS, TUNED)]
    return (
        picture,
        *(f"{value:.1f}" for value in median.values()),
        *(f"{ratio:.2f}" for ratio in ratios),
        *(f"{peak:.0f}" for peak in peaks),
    )


def _summary(ratios: Mapping[str, float]) -> str:
    return (
        f"All pictures together: sharp as people write it takes {ratios[TYPICAL]:.2f} times our CPU, tuned "
        f"{ratios[TUNED]:.2f} times; we take {ratios['over ' + FLOOR]:.2f} times decoding and encoding alone."
    )


def _figures(picture: str, samples: Samples, qualities: Qualities) -> dict[str, object]:
    return {
        name: {
            "cpu_ms": [round(done.cpu_ms, 3) for done in by_picture[picture]],
            "wall_ms": [round(done.wall_ms, 3) for done in by_picture[picture]],
            "peak_mib": round(max(done.peak_mib for done in by_picture[picture]), 1),
            "bytes": by_picture[picture][-1].sizes,
            "ssim": dict(qualities[name][picture].ssim) if name in qualities else {},
        }
        for name, by_picture in samples.items()
    }

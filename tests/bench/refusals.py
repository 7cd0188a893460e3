"""`refusals`: what it costs to say no to a file that claims too much, from its header alone."""

import statistics
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import machine, rounds
from tests.bench.machine import PeakMemory
from tests.bench.partners import Partner
from tests.bench.results import JsonFile, Results, Rounds, progress, show
from tests.unit.imaging.bombs import BOMBS
from tests.unit.imaging.pictures import png_chunk

BARE, CHILD = "in process", "sandbox"
MOST_MS, MOST_MIB = 50.0, 50.0
_COMMANDS = {
    BARE: ("tests.bench.refusal_worker", "recipe"),
    CHILD: ("tests.bench.refusal_worker", "sandbox"),
}


@dataclass(slots=True, kw_only=True)
class Said:
    """How one file was refused: the code, ms of wall by round, and the most MiB that it added."""

    code: str | None = None
    wall_ms: list[float] = field(default_factory=list)
    added_mib: float = 0.0


Samples = Mapping[str, Mapping[str, Said]]


def command(count: Rounds = 7, json_file: JsonFile = None) -> None:
    """Time and memory of refusals: hostile files in process, and in a sandbox whose child is replaced."""
    with bombs() as found, machine.one_core(), ExitStack() as stack:
        contenders = {
            name: stack.enter_context(Partner(name, [sys.executable, "-m", *words]))
            for name, words in _COMMANDS.items()
        }
        mode = contenders[CHILD].ready
        samples = measure(contenders, found, count)
    show(results(samples, mode), json_file)


@contextmanager
def bombs() -> Iterator[Mapping[str, Path]]:
    """The hostile files of the tests, and one that is really as large as it claims, for the while."""
    files = {name: data for name, (data, _) in BOMBS.items()} | {"png really of 50,000²": whole_png(50_000)}
    with TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{number:02}" for number, name in enumerate(files)}
        for name, path in paths.items():
            path.write_bytes(files[name])
        yield paths


def whole_png(side: int) -> bytes:
    """A square PNG of one bit a pixel with all of its rows: a third of a megabyte for 50,000."""
    header = png_chunk(b"IHDR", side.to_bytes(4, "big") * 2 + b"\x01\x00\x00\x00\x00")
    packer, row = zlib.compressobj(), bytes(1 + (side + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def measure(contenders: Mapping[str, Partner], found: Mapping[str, Path], count: int) -> Samples:
    """Every file refused by every contender in every round."""
    samples: Samples = {name: {bomb: Said() for bomb in found} for name in contenders}
    with progress() as bar:
        for number, bomb, name in bar.track(list(rounds.schedule(tuple(contenders), tuple(found), count))):
            memory = PeakMemory(contenders[name].pid)
            memory.reset()
            contenders[name].tell({"picture": str(found[bomb])})
            answer, said = contenders[name].answer(), samples[name][bomb]
            if number >= 0:
                said.code = answer["code"]
                said.wall_ms.append(answer["wall_ms"])
                said.added_mib = max(said.added_mib, memory.mib() - answer["held_mib"])
    return samples


def results(samples: Samples, mode: str) -> Results:
    """The table, the worst of all, and the file of a finished run."""
    # Of medians: a single round on a busy machine says more about the machine.
    worst = {
        name: max(statistics.median(said.wall_ms) for said in of.values()) for name, of in samples.items()
    }
    added = max(said.added_mib for said in samples[BARE].values())
    accepted = [bomb for bomb, said in samples[BARE].items() if said.code is None]
    kept = worst[BARE] < MOST_MS and added < MOST_MIB and not accepted
    summary = (
        f"At worst {worst[BARE]:.1f} ms and {added:.1f} MiB in process, {worst[CHILD]:.1f} ms through the "
        f"sandbox; the goal of {MOST_MS:.0f} ms and {MOST_MIB:.0f} MiB is {'' if kept else 'not '}met."
    )
    return Results(
        title=f"refusals ({mode}): ms and memory of a refusal, medians over rounds",
        headings=("file", "refused as", f"{BARE}, ms", "worst", "more MiB", f"{CHILD}, ms", "worst"),
        rows=[_row(bomb, samples) for bomb in samples[BARE]],
        lines=(summary, *(f"  not refused: {bomb}" for bomb in accepted)),
        data={
            "benchmark": "refusals",
            "machine": machine.facts(("pillow", "pyseccomp")),
            "mode": mode,
            "worst_ms": worst,
            "worst_added_mib": added,
            "files": {bomb: _figures(bomb, samples) for bomb in samples[BARE]},
        },
    )


def _row(bomb: str, samples: Samples) -> tuple[str, ...]:
    bare, child = samples[BARE][bomb], samples[CHILD][bomb]
    return (
        bomb,
        bare.code or "accepted",
        f"{statistics.median(bare.wall_ms):.2f}",
        f"{max(bare.wall_ms):.2f}",
        f"{bare.added_mib:.1f}",
        f"{statistics.median(child.wall_ms):.1f}",
        f"{max(child.wall_ms):.1f}",
    )


def _figures(bomb: str, samples: Samples) -> dict[str, object]:
    return {
        name: {
            "code": of[bomb].code,
            "wall_ms": [round(ms, 3) for ms in of[bomb].wall_ms],
            "added_mib": round(of[bomb].added_mib, 2),
        }
        for name, of in samples.items()
    }

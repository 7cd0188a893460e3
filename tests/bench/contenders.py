"""Contenders: partners that make the variants of one picture at a time, and say what that took."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import PeakMemory
from tests.bench.partners import Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one job took and made: ms of processor and wall, MiB at the peak, bytes by file name."""

    cpu_ms: float
    wall_ms: float
    peak_mib: float
    sizes: dict[str, int]


def do(contender: Partner, picture: Path, *, save: Path | None = None) -> Done:
    """One job; with `save` the files it makes stay in that folder."""
    memory = PeakMemory(contender.pid)
    memory.reset()
    contender.tell({"picture": str(picture.absolute()), "save": str(save.absolute()) if save else None})
    answer = contender.answer()
    return Done(
        cpu_ms=answer["cpu_ms"],
        wall_ms=answer["wall_ms"],
        peak_mib=memory.mib(),
        sizes={made["name"]: made["size"] for made in answer["variants"]},
    )

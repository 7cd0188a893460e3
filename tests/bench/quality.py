"""Whether what was made so fast is as good: likeness to references, and bytes, beside the peers'."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from tests.bench.contenders import do
from tests.bench.partners import Partner
from tests.bench.references import likeness
from tests.bench.results import progress

# A difference of SSIM that nobody sees.
TOLERANCE = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Of one contender and one picture: SSIM by variant, and all bytes that it wrote."""

    ssim: Mapping[str, float]
    size: int


Qualities: TypeAlias = Mapping[str, Mapping[str, Quality]]


def compare(contenders: Mapping[str, Partner], found: Sequence[Path]) -> Qualities:
    """Quality by contender, then by the picture's file name."""
    qualities: dict[str, dict[str, Quality]] = {name: {} for name in contenders}
    with progress() as bar, TemporaryDirectory() as scratch:
        for path in bar.track(found, description="comparing"):
            for name, contender in contenders.items():
                variants = Path(scratch) / name / path.name
                variants.mkdir(parents=True)
                done = do(contender, path, save=variants)
                measured = dict(likeness(path, variants))
                qualities[name][path.name] = Quality(ssim=measured, size=sum(done.sizes.values()))
    return qualities


def verdicts(qualities: Qualities, ours: str) -> list[str]:
    """Quality and bytes as a whole, then of each kind of variant, then each file worse than it may be."""
    if not qualities:
        return []
    gaps = sorted(_gaps(qualities, ours), reverse=True)
    totals = {name: sum(one.size for one in of.values()) for name, of in qualities.items()}
    more = [f"{totals[ours] / size - 1:+.1%} to {name}" for name, size in totals.items() if name != ours]
    return [
        f"SSIM: at worst {gaps[0][0]:+.4f} from ours up to the best peer's; bytes {', '.join(more)}.",
        *_by_variant(qualities, ours),
        *(f"  worse: {label}, by {gap:.4f}" for gap, label in gaps if gap > TOLERANCE),
    ]


def _by_variant(qualities: Qualities, ours: str) -> Iterator[str]:
    """Of each kind of variant the mean SSIM of everybody, and whether ours is as good as the best peer's."""
    names = {variant: None for picture in qualities[ours].values() for variant in picture.ssim}
    for variant in names:
        means = {
            name: statistics.fmean(one.ssim[variant] for one in of.values() if variant in one.ssim)
            for name, of in qualities.items()
        }
        best = max(value for name, value in means.items() if name != ours)
        verdict = "as good" if means[ours] >= best - TOLERANCE else "worse"
        shown = ", ".join(f"{value:.4f} {name}" for name, value in means.items())
        yield f"  {variant}: {shown} (mean SSIM); {verdict}."


def _gaps(qualities: Qualities, ours: str) -> Iterator[tuple[float, str]]:
    """How far the best peer is above us, for each variant."""
    peers = [by_picture for name, by_picture in qualities.items() if name != ours]
    for picture, mine in qualities[ours].items():
        for variant, value in mine.ssim.items():
            best = max(peer[picture].ssim.get(variant, 0.0) for peer in peers)
            yield best - value, f"{picture} {variant}"

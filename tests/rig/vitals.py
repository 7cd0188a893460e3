"""What a program takes of its machine while it runs, and whether that grows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import linear_regression, median
from typing import Final

_MIB: Final = 2**20
_MINUTE: Final = 60.0

MOST_MIB_A_MINUTE: Final = 1.0
# A worker takes children as it needs them: steps, which only a long look tells from a slope.
STEPS_SETTLE_SECONDS: Final = 900.0
# By how many each may be higher in the end: pools breathe with the load, and with what is broken.
MOST_MORE: Final = {"fds": 24, "threads": 4, "connections": 4}
_PARTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """One look: `at` in seconds of the run, `connections` are those to the database.

    `rss` is the memory of the program itself, `family` that with its children; both in bytes.
    """

    at: float
    rss: int
    family: int
    fds: int
    threads: int
    connections: int


@dataclass(frozen=True, slots=True)
class Series:
    """All looks at one program from one start to its end, in their order."""

    name: str
    samples: list[Vitals] = field(default_factory=list)

    def after(self, warm_up: float) -> list[Vitals]:
        """Those later than so many seconds after the first."""
        return [each for each in self.samples if each.at >= self.samples[0].at + warm_up]


def growth(samples: Sequence[Vitals], of: str = "rss") -> float:
    """MiB a minute, by least squares; at least two samples of different moments."""
    slope = linear_regression([each.at for each in samples], [getattr(each, of) for each in samples]).slope
    return slope * _MINUTE / _MIB


def complaints(series: Series, *, warm_up: float, at_least: float) -> Iterator[str]:
    """What grows that must not, in sentences.

    A series that lasts for less than `at_least` seconds after its warm-up tells nothing: it is not judged.
    """
    samples = series.after(warm_up)
    if not judged(samples, at_least):
        return
    if (slope := growth(samples)) >= MOST_MIB_A_MINUTE:
        yield f"{series.name} grows by {slope:.2f} MiB a minute"
    if judged(samples, STEPS_SETTLE_SECONDS) and (slope := growth(samples, "family")) >= MOST_MIB_A_MINUTE:
        yield f"{series.name} with its children grows by {slope:.2f} MiB a minute"
    part = max(1, len(samples) // _PARTS)
    for what, most in MOST_MORE.items():
        first, last = (median(getattr(each, what) for each in of) for of in (samples[:part], samples[-part:]))
        if last - first > most:
            yield f"{series.name} has {last:g} {what} after {first:g}"


def judged(samples: Sequence[Vitals], at_least: float) -> bool:
    """Whether these last long enough to tell anything."""
    return len(samples) > _PARTS and samples[-1].at - samples[0].at >= at_least


def table(all_series: Sequence[Series], *, warm_up: float, at_least: float) -> str:
    """A line for each series: its length, and each figure in the beginning and at the end."""
    return "\n".join(_line(series, warm_up, at_least) for series in all_series if series.samples)


def _line(series: Series, warm_up: float, at_least: float) -> str:
    samples = series.after(warm_up)
    slope = f"{growth(samples):+.2f} MiB/min" if judged(samples, at_least) else "too short to tell"
    first, last = series.samples[0], series.samples[-1]
    grown = f"{last.rss / _MIB:.0f} (with children {first.family / _MIB:.0f} → {last.family / _MIB:.0f}) MiB"
    counts = ", ".join(f"{what} {getattr(first, what)} → {getattr(last, what)}" for what in MOST_MORE)
    return (
        f"{series.name}: {last.at - first.at:.0f} s, rss {first.rss / _MIB:.0f} → {grown}, {slope}, {counts}"
    )

"""Kinds of metrics whose labels the type checker knows: a family takes only what its label function takes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
from itertools import product
from typing import Final, Generic, Literal, ParamSpec, get_args, get_origin, get_type_hints

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

P = ParamSpec("P")

# From an append on one machine to a job that is cut.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)

Labels = Callable[P, tuple[str, ...]]
"""A function whose parameters are a family's labels, and which gives their values in that order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the catalogue's documentation says of a family."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


class Families:
    """Where the families of one process are made; `described` lists them in the order of their making."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """All families go into `registry`."""
        self.registry = registry
        self.described: list[Described] = []

    def counter(self, name: str, meaning: str, labels: Labels[P]) -> "CounterOf[P]":
        """A number that only grows; its name ends in _total."""
        self._describe(name, "counter", meaning, labels)
        return CounterOf(Counter(name, meaning, _names(labels), registry=self.registry), labels)

    def gauge(self, name: str, meaning: str, labels: Labels[P]) -> "GaugeOf[P]":
        """A number that goes up and down."""
        self._describe(name, "gauge", meaning, labels)
        return GaugeOf(Gauge(name, meaning, _names(labels), registry=self.registry), labels)

    def histogram(
        self, name: str, meaning: str, labels: Labels[P], *, buckets: Sequence[float] = SECONDS
    ) -> "HistogramOf[P]":
        """How values are spread; in seconds, unless the name says otherwise."""
        self._describe(name, "histogram", meaning, labels)
        family = Histogram(name, meaning, _names(labels), registry=self.registry, buckets=buckets)
        return HistogramOf(family, labels)

    def _describe(
        self, name: str, kind: Literal["counter", "gauge", "histogram"], meaning: str, labels: Labels[P]
    ) -> None:
        if not name.startswith("darkroom_") or (kind == "counter") != name.endswith("_total"):
            raise ValueError(f"{name} is no name for a {kind} of ours")
        self.described.append(Described(name=name, kind=kind, labels=_names(labels), meaning=meaning))


class CounterOf(Generic[P]):
    """A counter and its labels."""

    def __init__(self, family: Counter, labels: Labels[P]) -> None:
        """Made by `Families.counter`; every combination of listed values begins at 0."""
        self._family, self._labels = family, labels
        self._known: dict[tuple[str, ...], Counter] = {}
        for values in _listed(labels):
            family.labels(*values)

    def of(self, *args: P.args, **kwargs: P.kwargs) -> Counter:
        """The counter of these label values."""
        values = self._labels(*args, **kwargs)
        if (found := self._known.get(values)) is None:
            found = self._known[values] = self._family.labels(*values) if values else self._family
        return found


class GaugeOf(Generic[P]):
    """A gauge and its labels."""

    def __init__(self, family: Gauge, labels: Labels[P]) -> None:
        """Made by `Families.gauge`."""
        self._family, self._labels = family, labels

    def of(self, *args: P.args, **kwargs: P.kwargs) -> Gauge:
        """The gauge of these label values."""
        values = self._labels(*args, **kwargs)
        return self._family.labels(*values) if values else self._family

    def forget(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Shows these label values no longer, as when a partition is taken away; they were shown before."""
        self._family.remove(*self._labels(*args, **kwargs))


class HistogramOf(Generic[P]):
    """A histogram and its labels."""

    def __init__(self, family: Histogram, labels: Labels[P]) -> None:
        """Made by `Families.histogram`."""
        self._family, self._labels = family, labels
        self._known: dict[tuple[str, ...], Histogram] = {}

    def of(self, *args: P.args, **kwargs: P.kwargs) -> Histogram:
        """The histogram of these label values."""
        values = self._labels(*args, **kwargs)
        if (found := self._known.get(values)) is None:
            found = self._known[values] = self._family.labels(*values) if values else self._family
        return found


def nothing() -> tuple[str, ...]:
    """The labels of a family that has none."""
    return ()


def _names(labels: Callable[..., tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(signature(labels).parameters)


def _listed(labels: Callable[..., tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    # Only where each label has a closed list of values; a rate needs the 0 before the first count.
    hints = get_type_hints(labels)
    choices = [get_args(hints[name]) if get_origin(hints[name]) is Literal else () for name in _names(labels)]
    return (values for values in product(*choices) if values)

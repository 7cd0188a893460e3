"""`projector`: events a second from the log to the read models, and how far the rows are behind live."""

import asyncio
import statistics
from collections.abc import Sequence
from typing import Annotated

import typer

from tests.bench import machine, rounds
from tests.bench.ground import world
from tests.bench.projector_lag import Lag, lag
from tests.bench.projector_rounds import TOGETHER, Caught, catch_up, fill
from tests.bench.results import JsonFile, Results, Rounds, show

Assets = Annotated[int, typer.Option(min=TOGETHER, help="Assets to fold, four events each.")]
Rate = Annotated[int, typer.Option(min=1, help="Events a second in the live part.")]
Seconds = Annotated[float, typer.Option(min=1, help="How long the live part takes.")]


def command(
    assets: Assets = 10_000,
    count: Rounds = 3,
    rate: Rate = 2000,
    seconds: Seconds = 10.0,
    json_file: JsonFile = None,
) -> None:
    """Events a second of a projector that starts from nothing, then its lag behind a steady rate."""
    with world() as found:
        asyncio.run(fill(found, assets))
        caught = [catch_up(found, number) for number in range(count)]
        live = asyncio.run(lag(found, rate=rate, seconds=seconds))
    show(results(caught, live, rate), json_file)


def results(caught: Sequence[Caught], live: Lag, rate: int) -> Results:
    """The table and the file of a finished run."""
    lags = [1000 * second for second in live.seconds]
    p50, p99 = rounds.percentile(lags, 0.5), rounds.percentile(lags, 0.99)
    busy = live.used.cpu["projector"] / live.used.seconds
    ratio = rounds.paired([_bare_us(one) for one in caught], [_cpu_us(one) for one in caught])
    return Results(
        title="projector: from the log's start into empty read models, all of them, one process",
        headings=(
            "round",
            "events",
            "events/s",
            "projector CPU",
            "postgres CPU",
            "kafka CPU",
            "MiB",
            "read alone/s",
        ),
        rows=[_row(number, one) for number, one in enumerate(caught, 1)],
        lines=(
            f"Median: {_median_rate(caught):,.0f} events/s; {ratio:.0%} of the CPU is reading and decoding.",
            f"At {rate} events/s: rows follow in {p50:.0f} ms (p50), {p99:.0f} ms (p99), CPU {busy:.0%}.",
        ),
        data={
            "benchmark": "projector",
            "machine": machine.facts(("confluent-kafka", "psycopg", "fastavro")),
            "events_per_second": _median_rate(caught),
            "rounds": [_figures(one) for one in caught],
            "live": {"rate": rate, "events": len(lags), "p50_ms": p50, "p99_ms": p99, "max_ms": max(lags)}
            | {"cpu_share": {name: used / live.used.seconds for name, used in live.used.cpu.items()}},
        },
    )


def _rate(one: Caught) -> float:
    return one.events / one.used.seconds


def _median_rate(caught: Sequence[Caught]) -> float:
    return statistics.median(map(_rate, caught))


def _cpu_us(one: Caught, name: str = "projector") -> float:
    return 1e6 * one.used.cpu.get(name, 0.0) / one.events


def _bare_us(one: Caught) -> float:
    return 1e6 * one.bare.cpu["reading"] / one.bare_events


def _row(number: int, one: Caught) -> tuple[str, ...]:
    return (
        str(number),
        f"{one.events:,}",
        f"{_rate(one):,.0f}",
        *(f"{_cpu_us(one, name):.1f} µs" for name in ("projector", "postgres", "kafka")),
        f"{one.memory_mib:.0f}",
        f"{one.bare_events / one.bare.seconds:,.0f}",
    )


def _figures(one: Caught) -> dict[str, object]:
    return {
        "events": one.events,
        "seconds": one.used.seconds,
        "cpu_us_an_event": {name: _cpu_us(one, name) for name in one.used.cpu},
        "memory_mib": one.memory_mib,
        "bare_events_per_second": one.bare_events / one.bare.seconds,
        "bare_cpu_us_an_event": _bare_us(one),
    }

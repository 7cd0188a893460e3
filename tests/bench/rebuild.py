"""`rebuild`: events a second into a copy of one read model, with one process and with several."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from tests.bench import machine, rounds
from tests.bench.ground import fresh_database, world
from tests.bench.rebuild_rounds import Rebuilt, fold_live, rebuild, written
from tests.bench.results import JsonFile, Results, Rounds, show

Events = Annotated[int, typer.Option(min=1000, help="Events in the log, from lives of four each.")]
Workers = Annotated[list[int], typer.Option("--workers", min=1, help="Processes; may be given again.")]
Name = Annotated[str, typer.Option("--read-model", help="Which one is rebuilt.")]


def command(
    events: Events = 1_000_000,
    workers: Workers = [1, 2, 4],  # noqa: B006 - typer makes its own
    name: Name = "assets",
    count: Rounds = 3,
    json_file: JsonFile = None,
) -> None:
    """A rebuild from the log's beginning, while the projector runs and pages of the gallery are read."""
    with world() as found:
        written(found, events)
        env = fresh_database(found, "rebuild")
        settings = found.settings("rebuild", DATABASE_URL=env["DATABASE_URL"])
        projector = fold_live(found, settings)
        try:
            rebuilt = {each: [rebuild(settings, name, each) for _ in range(count)] for each in workers}
        finally:
            projector.stop()
    show(results(name, rebuilt), json_file)


def results(name: str, rebuilt: Mapping[int, Sequence[Rebuilt]]) -> Results:
    """The table and the file of a finished run."""
    return Results(
        title=f"rebuild of {name} beside the live one, served meanwhile",
        headings=(
            "processes",
            "events",
            "start",
            "fill",
            "indexes",
            "events/s",
            "of filling",
            "CPU an event",
            "MiB",
            "page p99",
        ),
        rows=[_row(workers, one) for workers, each in rebuilt.items() for one in each],
        lines=("Every copy was the same as the live rows, by counts and digests.",),
        data={
            "benchmark": "rebuild",
            "machine": machine.facts(("confluent-kafka", "psycopg", "fastavro")),
            "read_model": name,
            "rounds": [_figures(workers, one) for workers, each in rebuilt.items() for one in each],
        },
    )


def _row(workers: int, one: Rebuilt) -> tuple[str, ...]:
    return (
        str(workers),
        f"{one.records:,}",
        f"{one.starting:.1f} s",
        f"{one.filling:.1f} s",
        f"{one.finishing:.1f} s",
        f"{one.rate:,.0f}",
        f"{one.records / one.filling:,.0f}",
        f"{1e6 * one.cpu_seconds / one.records:.1f} µs",
        f"{one.memory_mib:.0f}",
        f"{1000 * rounds.percentile(list(one.reads), 0.99):.0f} ms" if one.reads else "-",
    )


def _figures(workers: int, one: Rebuilt) -> dict[str, object]:
    return {
        "workers": workers,
        "events": one.records,
        "starting_s": one.starting,
        "filling_s": one.filling,
        "finishing_s": one.finishing,
        "comparing_s": one.comparing,
        "cpu_us_an_event": 1e6 * one.cpu_seconds / one.records,
        "memory_mib": one.memory_mib,
        "page_ms": [1000 * second for second in one.reads],
    }

"""`recovery`: from each kind of kill to the moment when every acknowledged upload is ready."""

import asyncio
import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer

from tests.bench import machine, rounds
from tests.bench.ground import GENEROUS, world
from tests.bench.recovery_rounds import FROZEN_SECONDS, NOTHING, Cast, Upheaval, faults, upheaval
from tests.bench.results import JsonFile, Results, Rounds, progress, show
from tests.programs import Program
from tests.rig.fleet import Fleet
from tests.rig.history import History
from tests.servers import World

Rate = Annotated[float, typer.Option(min=0.1, help="Uploads a second, before and after the kill.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="One kind of kill; may be repeated.")]
Measured = Mapping[str, Sequence[Upheaval]]
_PROGRAMS: Final[Mapping[str, Sequence[str]]] = {
    "api": ("api",),
    "worker": ("processors", "variants"),
    "projector": ("projections",),
}


def command(count: Rounds = 5, rate: Rate = 8.0, only: Only = None, json_file: JsonFile = None) -> None:
    """Seconds from a kill under load until all acknowledged uploads are ready, beside a run without one."""
    if os.environ.get("TEST_SERVERS", "embedded") != "embedded":
        raise typer.BadParameter("it kills servers: they must be its own (unset TEST_SERVERS)")
    with world() as ground, History(ground.folder / "history.jsonl", seed=0) as history:
        fleets = {name: _fleet(name, ground, history) for name in _PROGRAMS}
        try:
            cast = Cast(world=ground, fleets=fleets, history=history, rate=rate)
            measured = asyncio.run(_measure(cast, count, only or ()))
        finally:
            for fleet in fleets.values():
                fleet.close()
    show(results(measured, rate), json_file)


def _fleet(name: str, ground: World, history: History) -> Fleet:
    def make(_number: int, settings: Mapping[str, str]) -> Program:
        env = {**ground.env, **GENEROUS, **settings}
        return Program(_PROGRAMS[name], env, ground.folder / name)

    return Fleet(make, history, name=name)


async def _measure(cast: Cast, count: int, only: Sequence[str]) -> Measured:
    for fleet in cast.fleets.values():
        await asyncio.to_thread(fleet.start, 0, ready=True)
    kinds = {name: fault for name, fault in faults(cast).items() if not only or name in {*only, NOTHING}}
    if unknown := set(only) - set(kinds):
        raise typer.BadParameter(f"no kind of kill: {', '.join(sorted(unknown))}")
    measured: dict[str, list[Upheaval]] = {name: [] for name in kinds}
    await upheaval(cast, kinds[NOTHING])  # warms all that are to be killed
    with progress() as bar:
        plan = [name for number in range(count) for name in rounds.turns(tuple(kinds), number)]
        for name in bar.track(plan, description="rounds"):
            measured[name].append(await upheaval(cast, kinds[name]))
    return measured


def results(measured: Measured, rate: float) -> Results:
    """The table and the file of a finished run."""
    return Results(
        title="recovery: from the kill, under load, until every acknowledged upload is ready",
        headings=("killed", "median s", "worst s", "beyond no kill, s", "uploads"),
        rows=[_row(name, measured) for name in measured],
        lines=(
            f"{rate:g} uploads a second from a second before to two seconds after, tried until acknowledged.",
            "Nothing killed: those two seconds and what is in hand then.",
            "Programs are started again at once, servers by the stack's supervisor.",
            f"Who is frozen (SIGSTOP) goes on after {FROZEN_SECONDS:g} s.",
        ),
        data={
            "benchmark": "recovery",
            "machine": machine.facts(("faust-streaming", "confluent-kafka", "psycopg", "uvicorn")),
            "rate": rate,
            "beyond_no_kill": {name: _beyond(name, measured) for name in measured},
            "seconds": {name: [each.seconds for each in of] for name, of in measured.items()},
            "uploads": {name: [each.uploads for each in of] for name, of in measured.items()},
        },
    )


def _row(name: str, measured: Measured) -> tuple[str, ...]:
    seconds = [each.seconds for each in measured[name]]
    return (
        name,
        f"{statistics.median(seconds):.1f}",
        f"{max(seconds):.1f}",
        "–" if name == NOTHING else f"{_beyond(name, measured):.1f}",
        f"{sum(each.uploads for each in measured[name])}",
    )


def _beyond(name: str, measured: Measured) -> float:
    """The median over rounds of what a kill took more than none did in the same round."""
    pairs = zip(measured[name], measured[NOTHING], strict=True)
    return statistics.median(killed.seconds - well.seconds for killed, well in pairs)

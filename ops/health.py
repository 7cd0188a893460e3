"""`python -m ops health`: every program and each of its loops, as they are now."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import typer
from rich.console import Console
from rich.table import Table

from adapters.programs import LoopTold, ProgramState, asked
from adapters.settings import settings_or_exit
from ops.ages import age
from ops.waiting import MISTAKEN, Json, leave

_WIDTH: Final = 80
_UNWELL: Final = 1


def command(as_json: Json = False) -> None:
    """Show every program and loop. Exit code: 0 when all is well, 1 when something is not.

    Asks the metrics ports that PROGRAM_URLS names.
    """
    programs = settings_or_exit().runtime.programs
    if not programs:
        leave(
            "PROGRAM_URLS names no program; set it to name=address of each metrics port "
            "(the stack writes it to .darkroom/env).",
            code=MISTAKEN,
        )
    states = asked(programs)
    if as_json:
        typer.echo(json.dumps(_data(states)))
    else:
        Console(width=_WIDTH, highlight=False).print(_table(states, datetime.now(UTC)))
    if not all(state.well for state in states):
        raise typer.Exit(_UNWELL)


def _data(states: Sequence[ProgramState]) -> dict[str, object]:
    return {
        "well": all(state.well for state in states),
        "programs": [
            {
                "name": state.name,
                "address": state.address,
                "well": state.well,
                "ready": state.ready,
                "silence": state.silence,
                **({} if state.told is None else state.told.model_dump(mode="json", exclude={"status"})),
            }
            for state in states
        ],
    }


def _table(states: Sequence[ProgramState], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, width=_WIDTH)
    table.add_column("program", no_wrap=True)
    table.add_column("loop", no_wrap=True)
    for column in ("silent", "behind", "oldest"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("state", ratio=1, overflow="fold")
    for state in states:
        table.add_row(state.name, "", "", "", "", _coloured(_said(state), well=state.well))
        for loop in [] if state.told is None else state.told.loops:
            table.add_row("", *_loop(loop, now))
    return table


def _said(state: ProgramState) -> str:
    if state.told is None:
        return state.silence or ""
    if state.told.stuck is not None:
        return f"stuck: {state.told.stuck}"
    return "ready" if state.ready else f"not ready: {state.told.reason}"


def _loop(loop: LoopTold, now: datetime) -> tuple[str, ...]:
    kept = "; ".join(f"{trouble.code}, for {age(trouble.since, now)}" for trouble in loop.troubles)
    last = f"well; {age(loop.last_error.at, now)} ago: {loop.last_error.code}" if loop.last_error else "well"
    return (
        loop.loop,
        f"{loop.silent_seconds:.0f} s",
        "" if loop.lag_records is None else f"{loop.lag_records:,}",
        "" if loop.lag_seconds is None else f"{loop.lag_seconds:.0f} s",
        _coloured(kept or last, well=not kept),
    )


def _coloured(text: str, *, well: bool) -> str:
    return f"[{'green' if well else 'red'}]{text.replace('[', chr(92) + '[')}[/]"

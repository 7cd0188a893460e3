"""`python -m ops presets …`: which variants there are, and how that is changed."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.settings import settings_or_exit
from ops.desk import Desk, at_desk
from ops.presets import planning
from ops.presets.changing import applied, known_sets, open_changes, rolled_back
from ops.presets.defining import define
from ops.presets.planning import Plan, assets_by_set
from ops.runs.steering import shown
from ops.waiting import MISTAKEN, Json, Wait, leave, quiet_logs
from projections.runs.queries import RunRow
from schemas.events import Preset
from schemas.presets import InvalidPresets, preset_set_hash, presets_from_json

app = typer.Typer(no_args_is_help=True, help="The sets of presets by which variants are made.")

Optional = Annotated[
    Path | None,
    typer.Argument(exists=True, dir_okay=False, help="A JSON list of presets; Darkroom's own if none."),
]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JSON list of presets.")]


@app.command("define")
def define_command(file: Optional = None, wait: Wait = 60.0, as_data: Json = False) -> None:
    """Put a preset set into the log and make it the active one, for what is uploaded from now on.

    Without FILE this is Darkroom's own set, and only where no set is active yet: an installation that chose
    another keeps it. Safe to repeat. Exit code: 0, 2 where FILE is no preset set, or 3 where the servers are
    not as they must be.
    """
    quiet_logs()
    presets = None if file is None else _read(file)
    appended = define(settings_or_exit(), presets, wait=wait)
    if as_data:
        typer.echo(
            json.dumps([{"event": type(one).__name__, "preset_set": one.preset_set} for one in appended])
        )
        return
    for event in appended:
        typer.echo(f"{type(event).__name__} {event.preset_set}")
    if not appended:
        typer.echo("Nothing to do: a preset set is active.")


@app.command("plan")
def plan_command(file: File, as_data: Json = False) -> None:
    """Show what making this set everywhere would take, from what renders took so far. Changes nothing."""
    presets = _read(file)
    found = at_desk(lambda desk: _planned(desk, presets), wait=5.0)
    if as_data:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"preset set: {found.preset_set}")
    typer.echo(f"assets:     {found.assets:,}, of which {found.standing:,} have it standing")
    typer.echo(f"renders:    {found.renders:,} files")
    if not found.measured:
        typer.echo("Nothing was rendered yet, so nobody knows what it would cost.")
        return
    typer.echo(
        f"processor:  {timedelta(seconds=round(found.cpu_seconds))} (measured: {found.measured:,} renders)"
    )
    typer.echo(f"store:      {found.bytes / 1e6:,.1f} MB more, until the old set is retired")


@app.command("apply")
def apply_command(file: File, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Make this set the active one, and start a run that makes it for every asset. Safe to repeat.

    Each asset switches as a whole; the old variants are served until then, and kept for PRESETS_GRACE.
    """
    presets = _read(file)
    _say(at_desk(lambda desk: applied(desk, presets), wait=wait), as_data=as_data)


@app.command("rollback")
def rollback_command(wait: Wait = 30.0, as_data: Json = False) -> None:
    """Go back to the set that was active before: what is kept of it is served again, and not rendered.

    Repeated, it goes back to the set that it came from.
    """
    _say(at_desk(rolled_back, wait=wait), as_data=as_data)


@app.command("status")
def status_command(as_data: Json = False) -> None:
    """Show which sets there are, how many assets have each, and changes that are under way."""
    found = at_desk(_status, wait=5.0)
    if as_data:
        typer.echo(json.dumps(found))
        return
    for one in found["sets"]:
        mark = "active" if one["active"] else one["activated_at"] or "never active"
        typer.echo(f"{one['preset_set'][:12]}  {mark}: {one['served']:,} served, {one['kept']:,} kept")
        typer.echo(f"  {', '.join(one['presets'])}")
    for run in found["changes"]:
        counts = run["counts"]
        typer.echo(
            f"run {run['id']} to {run['preset_set'][:12]}, {run['status']}: {counts['completed']:,} done, "
            f"{counts['failed']:,} failed, {counts['waiting']:,} waiting"
        )


async def _planned(desk: Desk, presets: Sequence[Preset]) -> Plan:
    active = next((one.presets for one in await known_sets(desk) if one.active), ())
    async with desk.pool.connection() as conn:
        sizes = await planning.sizes(conn, preset_set_hash(presets))
        return planning.plan(presets, active, sizes, await planning.measured(conn))


async def _status(desk: Desk) -> dict[str, Any]:
    async with desk.pool.connection() as conn:
        served, kept = await assets_by_set(conn), await assets_by_set(conn, kept=True)
    sets = [
        {
            "preset_set": one.preset_set,
            "active": one.active,
            "activated_at": None if one.activated_at is None else one.activated_at.isoformat(),
            "presets": [preset.name for preset in one.presets],
            "served": served.get(one.preset_set, 0),
            "kept": kept.get(one.preset_set, 0),
        }
        for one in await known_sets(desk)
    ]
    changes = [(await shown(desk, row)).model_dump(mode="json") for row in await open_changes(desk)]
    return {"sets": sets, "changes": changes}


def _read(file: Path) -> tuple[Preset, ...]:
    try:
        return presets_from_json(file.read_text(encoding="utf-8"))
    except (InvalidPresets, UnicodeDecodeError) as error:
        leave(f"{file}: {error}", code=MISTAKEN)


def _say(row: RunRow, *, as_data: bool) -> None:
    if as_data:
        typer.echo(json.dumps({"run_id": str(row.run_id), "preset_set": row.preset_set}))
        return
    typer.echo(
        f"Run {row.run_id} makes {row.preset_set}; `python -m ops runs watch {row.run_id}` follows it."
    )

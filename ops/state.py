"""`python -m ops state --at …`: assets as the log had them at an instant or a position."""

import asyncio
import json
from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from adapters.read_store import async_pool
from adapters.schema_registry import load_codec
from adapters.settings import Settings, settings_or_exit
from api.queries.past import PostgresPast
from ops.sentences import in_sentences
from ops.waiting import WRONG, Json, leave, quiet_logs
from projections.past import queries as past
from projections.past.queries import Moment
from projections.storage.queries import StorageRow
from schemas.asset_state import AssetState
from schemas.positions import InvalidPosition, Position

_MOST: Final = 10_000_000

At = Annotated[str, typer.Option("--at", help="An instant with its zone, by the log's clock, or a position.")]
Owner = Annotated[UUID | None, typer.Option(help="Only this owner's.")]
AssetId = Annotated[UUID | None, typer.Option("--asset", help="Only this one.")]


def command(at: At, owner: Owner = None, asset: AssetId = None, as_json: Json = False) -> None:
    """Show what the log said of assets then: their status and files. Words stay sealed."""
    quiet_logs()
    settings = settings_or_exit()
    with in_sentences():
        states = asyncio.run(_states(settings, at, owner, [asset] if asset else None))
    standing = [state for state in states if state.purged_at is None]
    said = {
        "at": at,
        "assets": len(standing),
        "purged": len(states) - len(standing),
        "by_status": dict(Counter(state.status for state in standing)),
        "storage": [_line(row) for row in past.storage(standing)],
        "states": [_said(state) for state in states] if owner or asset else None,
    }
    if as_json:
        typer.echo(json.dumps(said))
    else:
        _print(said)


async def _states(
    settings: Settings, at: str, owner: UUID | None, assets: list[UUID] | None
) -> list[AssetState]:
    codec = load_codec(settings)
    async with async_pool(settings, "ops") as pool:
        door = PostgresPast(pool, settings.kafka)
        spots = await door.spots(owner, assets, await _moment(door, at), _MOST)
        changed = past.states(await door.records(spots), codec)
    return [one.state for one in changed.values()]


async def _moment(door: PostgresPast, at: str) -> Moment:
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return await _moment_at(door, at)
    if instant.tzinfo is None:
        raise typer.BadParameter("an instant needs its zone, as in 2026-05-01T12:00:00Z", param_hint="--at")
    return Moment(log_time=instant)


async def _moment_at(door: PostgresPast, at: str) -> Moment:
    try:
        position = Position.from_token(at)
    except InvalidPosition:
        raise typer.BadParameter(f"{at} is neither an instant nor a position", param_hint="--at") from None
    log_time = await door.logged_at(position)
    if log_time is None:
        leave("No record of an asset stands there.", code=WRONG)
    return Moment(log_time=log_time, partition=position.partition, offset=position.offset)


def _said(state: AssetState) -> dict[str, Any]:
    return {
        "asset_id": str(state.asset_id),
        "owner_id": str(state.owner_id),
        "status": state.status,
        "version": state.version,
        "deleted": state.deleted_at is not None,
        "jobs": [{"job_id": str(job.job_id), "state": job.state} for job in state.jobs],
    }


def _line(row: StorageRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "status": row.status,
        "trashed": row.trashed,
        "format": row.format,
        "files": row.files,
        "bytes": row.bytes,
    }


def _print(said: dict[str, Any]) -> None:
    console = Console()
    counted = ", ".join(f"{count} {status}" for status, count in sorted(said["by_status"].items()))
    console.print(f"{said['assets']} assets ({counted or 'none'}), {said['purged']} purged by then.")
    table = Table("kind", "status", "trash", "format", "files", "bytes")
    for line in said["storage"]:
        table.add_row(*(str(value) for value in line.values()))
    console.print(table)
    for state in said["states"] or ():
        console.print(f"{state['asset_id']}  {state['status']}  version {state['version']}")

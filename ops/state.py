"""`python -m ops state --at …`: assets as the log had them at an instant or a position."""

import asyncio
import json
from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from adapters.clock import SystemClock
from adapters.read_store import async_pool
from adapters.schema_registry import load_codec
from adapters.settings import Settings, settings_or_exit
from api.queries.past import PostgresPast
from ops.listing import show_table
from ops.sentences import in_sentences
from ops.waiting import WRONG, Json, leave, quiet_logs, stop_after
from projections.past import queries as past
from projections.past.queries import Moment
from projections.storage.queries import StorageRow
from schemas.asset_state import AssetState
from schemas.codec import Codec
from schemas.positions import InvalidPosition, Position

_MOST: Final = 10_000_000
_PATIENCE_SECONDS: Final = 5.0

At = Annotated[str, typer.Option("--at", help="An instant with its zone, by the log's clock, or a position.")]
Owner = Annotated[UUID | None, typer.Option(help="Only this owner's.")]
AssetId = Annotated[UUID | None, typer.Option("--asset", help="Only this one.")]


def command(at: At, owner: Owner = None, asset: AssetId = None, as_json: Json = False) -> None:
    """Show what the log said of assets then: their status and files. Words stay sealed."""
    quiet_logs()
    settings = settings_or_exit()
    moment = _read(at, settings)
    with in_sentences():
        with stop_after(_PATIENCE_SECONDS) as stop:
            codec = load_codec(settings, stop=stop)
        states = asyncio.run(_states(settings, codec, moment, owner, [asset] if asset else None))
    standing = [state for state in states if state.purged_at is None and not state.called_off]
    said = {
        "at": at,
        "assets": len(standing),
        "called_off": sum(state.called_off for state in states),
        "purged": sum(state.purged_at is not None for state in states),
        "by_status": dict(Counter(state.status for state in standing)),
        "storage": [_line(row) for row in past.storage(standing)],
        "states": [_said(state) for state in states] if owner or asset else None,
    }
    if as_json:
        typer.echo(json.dumps(said))
    else:
        _print(said)


async def _states(
    settings: Settings,
    codec: Codec,
    at: datetime | Position,
    owner: UUID | None,
    assets: list[UUID] | None,
) -> list[AssetState]:
    async with async_pool(settings, "ops") as pool:
        door = PostgresPast(pool, settings.kafka)
        spots = await door.spots(owner, assets, await _moment(door, at), _MOST)
        changed = past.states(await door.records(spots), codec)
    return [one.state for one in changed.values()]


def _read(at: str, settings: Settings) -> datetime | Position:
    """What `--at` names, before anybody is asked; ends the command where it can be no moment of the past."""
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return _position(at, settings)
    if instant.tzinfo is None:
        raise typer.BadParameter("an instant needs its zone, as in 2026-05-01T12:00:00Z", param_hint="--at")
    if instant > SystemClock().now():
        raise typer.BadParameter(f"{at} lies in the future", param_hint="--at")
    return instant


def _position(at: str, settings: Settings) -> Position:
    try:
        position = Position.from_token(at)
    except InvalidPosition:
        raise typer.BadParameter(f"{at} is neither an instant nor a position", param_hint="--at") from None
    if position.topic != settings.kafka.topics.assets:
        raise typer.BadParameter(
            f"{at} is a position in {position.topic}, not in the log of assets", param_hint="--at"
        )
    return position


async def _moment(door: PostgresPast, at: datetime | Position) -> Moment:
    if isinstance(at, datetime):
        return Moment(log_time=at)
    log_time = await door.logged_at(at)
    if log_time is None:
        leave("No record of an asset stands there that the read models have come to.", code=WRONG)
    return Moment(log_time=log_time, partition=at.partition, offset=at.offset)


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
    counted = ", ".join(f"{count} {status}" for status, count in sorted(said["by_status"].items()))
    gone = f"{said['called_off']} called off and {said['purged']} purged by then"
    typer.echo(f"{said['assets']} assets ({counted or 'none'}), {gone}.")
    if said["storage"]:
        rows = [tuple(map(str, line.values())) for line in said["storage"]]
        show_table(("kind", "status", "trash", "format", "files", "bytes"), rows)
    if said["states"]:
        shown = [(each["asset_id"], each["status"], str(each["version"])) for each in said["states"]]
        show_table(("asset", "status", "version"), shown)

"""Reads what still hangs on dead letters, and asks for what was set aside to be read again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from projections.set_aside import COMPONENT
from projections.statements import statements

PROJECTOR: Final = COMPONENT
"""The component whose letters stand for records that hold others back."""

_SQL: Final = "dead_letters/queries.sql"

Spot = tuple[str, int, int]
"""Topic, partition and offset of a record that was given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record in the quarantine that holds others back: so many of its key wait, itself among them."""

    spot: Spot
    key: bytes
    waiting: int
    redrives: int
    asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the read models know of an asset: whose it is, and of which content type."""

    owner_id: UUID
    content_type: str | None


async def told(conn: AsyncConnection[Any], asset_ids: Collection[UUID]) -> dict[UUID, Told]:
    """Those of the assets that have a row."""
    rows = await conn.execute(statements(_SQL)["told"], {"asset_ids": list(asset_ids)})
    return {
        asset_id: Told(owner_id=owner_id, content_type=content_type)
        for asset_id, owner_id, content_type in await rows.fetchall()
    }


async def held(conn: AsyncConnection[Any], spots: Collection[Spot]) -> dict[Spot, Held]:
    """Those of the records because of which projectors hold back a key now."""
    if not spots:
        return {}
    parameters = {
        "topics": [topic for topic, _, _ in spots],
        "partitions": [partition for _, partition, _ in spots],
        "offsets": [offset for _, _, offset in spots],
    }
    rows = await (await conn.execute(statements(_SQL)["held"], parameters)).fetchall()
    return {
        (topic, partition, offset): Held(
            spot=(topic, partition, offset), key=bytes(key), waiting=waiting, redrives=redrives, asked=asked
        )
        for topic, partition, offset, key, waiting, redrives, asked in rows
    }


async def waits(conn: AsyncConnection[Any], *, topic: str, partition: int, key: bytes) -> bool:
    """Whether records of this key are set aside, so that those that follow wait behind them."""
    named = {"topic": topic, "partition": partition, "key": key}
    row = await (await conn.execute(statements(_SQL)["waits"], named)).fetchone()
    return row is not None and bool(row[0])


async def failed_jobs(conn: AsyncConnection[Any], job_ids: Collection[UUID]) -> set[UUID]:
    """Those of the jobs that failed, and after which nothing newer was asked of their asset."""
    rows = await conn.execute(statements(_SQL)["failed_jobs"], {"job_ids": list(job_ids)})
    return {job_id for (job_id,) in await rows.fetchall()}


async def said(conn: AsyncConnection[Any], event_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the events that the read models have heard of, in whichever log."""
    rows = await conn.execute(statements(_SQL)["said"], {"event_ids": list(event_ids)})
    return {event_id for (event_id,) in await rows.fetchall()}


async def redrive_rounds(conn: AsyncConnection[Any], *, asset_id: UUID) -> int:
    """How often variants were asked for again as a redrive, since anybody last asked otherwise."""
    row = await (await conn.execute(statements(_SQL)["rounds"], {"asset_id": asset_id})).fetchone()
    return int(row[0]) if row is not None else 0


async def ask_redrive(conn: AsyncConnection[Any], found: Held, *, now: datetime) -> None:
    """Has the records of this key read again; asked twice it is done once."""
    topic, partition, _ = found.spot
    named = {"topic": topic, "partition": partition, "key": found.key, "now": now}
    await conn.execute(statements("set_aside.sql")["ask"], named)

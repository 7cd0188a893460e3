"""What the read models say to those who keep house."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from psycopg.rows import class_row

from ops.housekeeping.chore import Conn
from projections.statements import statements

_SQL: Final = str(Path(__file__).with_name("queries.sql"))

Standing = Literal["awaited", "arrived", "expired", "purged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An upload that never came."""

    asset_id: UUID
    owner_id: UUID
    upload_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Trashed:
    """An asset in the trash; `doomed` once nothing brings it back any more."""

    asset_id: UUID
    owner_id: UUID
    version: int
    doomed: bool
    incoming_key: str


def overdue(conn: Conn, before: datetime, *, limit: int) -> list[Overdue]:
    """Uploads whose time was over before then, and which nobody has called expired yet."""
    with conn.cursor(row_factory=class_row(Overdue)) as cursor:
        return cursor.execute(statements(_SQL)["overdue"], {"before": before, "limit": limit}).fetchall()


def trashed(conn: Conn, before: datetime, *, limit: int) -> list[Trashed]:
    """Assets that were in the trash before then, and those that are doomed; the longest there first."""
    with conn.cursor(row_factory=class_row(Trashed)) as cursor:
        return cursor.execute(statements(_SQL)["trashed"], {"before": before, "limit": limit}).fetchall()


def standing(conn: Conn, asset_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """How these uploads stand; one that the read models have not heard of is not among them."""
    return dict(conn.execute(statements(_SQL)["standing"], {"asset_ids": list(asset_ids)}).fetchall())


def purged(conn: Conn, since: datetime) -> dict[UUID, datetime]:
    """The assets purged since then, each with the log's time of it."""
    return dict(conn.execute(statements(_SQL)["purged"], {"since": since}).fetchall())

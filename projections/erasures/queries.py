"""Reads erasures, for the doors; and what one is, for those who carry them out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "erasures/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRow:
    """An erasure; `lost` are the users of registrations that lost while the erased life lasted."""

    account_key: str
    erasure_id: UUID
    user_id: UUID
    lost: tuple[UUID, ...]
    requested_at: datetime
    completed_at: datetime | None
    receipt: bytes | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "lost", tuple(self.lost))  # Postgres gives a list

    @property
    def users(self) -> tuple[UUID, ...]:
        """All whose keys are to be erased."""
        return (self.user_id, *self.lost)


async def erasure(conn: AsyncConnection[Any], erasure_id: UUID) -> ErasureRow | None:
    """The erasure of this id."""
    async with conn.cursor(row_factory=class_row(ErasureRow)) as cursor:
        await cursor.execute(statements(_SQL)["by_id"], {"erasure_id": erasure_id})
        return await cursor.fetchone()

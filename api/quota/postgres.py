"""Quotas in Postgres: what the read models count and what was promised, seen at one moment."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog

from adapters.clock import Clock
from adapters.read_store import Pool
from adapters.settings import QuotaSettings
from api.quota.protocol import Used, admit
from projections.statements import statements

_SQL: Final = str(Path(__file__).with_name("queries.sql"))
# Longer than the read models lag in anything but a disaster. What a killed process left is forgotten then.
_HELD: Final = timedelta(hours=1)

log = structlog.get_logger(__name__)


class PostgresQuotas:
    """The Protocol over a pool of connections that others open and close. Without bounds it asks nothing."""

    def __init__(self, pool: Pool, bounds: QuotaSettings, clock: Clock) -> None:
        self._pool = pool
        self._bounds = bounds
        self._clock = clock

    async def reserve(
        self, owner_id: UUID, asset_id: UUID, size: int, *, instead_of: UUID | None = None
    ) -> None:
        """As the Protocol says."""
        if self._bounds.off:
            return
        now = self._clock.now()
        given = {
            "owner_id": owner_id,
            "asset_id": asset_id,
            "bytes": size,
            "instead_of": instead_of,
            "now": now,
            "until": now + _HELD,
        }
        queries = statements(_SQL)
        async with self._pool.connection() as conn, conn.transaction():
            # The lock in a statement of its own: what is read after it sees what its last holder wrote.
            await conn.execute(queries["lock"], given)
            known = await (await conn.execute(queries["known"], given)).fetchone()
            if known is None or not known[0]:
                admit(
                    _used(await (await conn.execute(queries["used"], given)).fetchone()), self._bounds, size
                )
                await conn.execute(queries["reserve"], given)
            if instead_of is not None:
                await conn.execute(queries["release"], {"asset_ids": [instead_of]})

    async def release(self, asset_id: UUID) -> None:
        """As the Protocol says."""
        if self._bounds.off:
            return
        try:
            async with self._pool.connection() as conn:
                await conn.execute(statements(_SQL)["release"], {"asset_ids": [asset_id]})
        except psycopg.Error as error:
            # It ends by itself; until then there is a little less room.
            log.warning("reservation_left", asset_id=str(asset_id), error=type(error).__name__)


def _used(row: tuple[Any, ...] | None) -> Used:
    size, files, uploads = row or (0, 0, 0)
    return Used(bytes=size, files=files, uploads=uploads)

"""Which of a user's assets holds which bytes: soft state, asked before the same bytes are kept twice."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import psycopg
import structlog

from adapters.read_store import Pool
from schemas.positions import Position

_PURPOSE: Final = b"darkroom/contents"
_FIND: Final = b"""
select digest, asset_id, position from api.contents
where owner_id = %(owner_id)s and digest = any(%(digests)s)
"""
_NOTE: Final = b"""
insert into api.contents (owner_id, digest, asset_id, position, until)
select %(owner_id)s, digest, %(asset_id)s, %(position)s, %(until)s from unnest(%(digests)s::bytea[]) as digest
on conflict (owner_id, digest) do update set asset_id = excluded.asset_id, position = excluded.position,
    until = excluded.until, noted_at = excluded.noted_at
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An asset that was completed with these bytes, and where that stands in the log."""

    asset_id: UUID
    position: Position


def digest_of(secret: bytes, owner_id: UUID, kind: str, value: str) -> bytes:
    """What bytes are known by: a keyed hash that tells nothing to whoever has no secret of ours."""
    said = b"\0".join((_PURPOSE, owner_id.bytes, kind.encode(), value.encode()))
    return hmac.digest(secret, said, hashlib.sha256)


class Contents(Protocol):
    """Remembers completions by what was in them; never raises: without an answer a file is kept twice."""

    async def find(self, owner_id: UUID, digests: tuple[bytes, ...]) -> dict[bytes, Holder]:
        """Who was completed with these bytes last, by each digest that is known."""
        ...

    async def note(
        self, owner_id: UUID, digests: tuple[bytes, ...], holder: Holder, *, until: datetime | None = None
    ) -> None:
        """Remembers a completion, until then or (None) as long as its asset is there."""
        ...


class PostgresContents:
    """The Protocol over a pool of connections that others open and close."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, owner_id: UUID, digests: tuple[bytes, ...]) -> dict[bytes, Holder]:
        """As the Protocol says."""
        try:
            async with self._pool.connection() as conn:
                given = {"owner_id": owner_id, "digests": list(digests)}
                rows = await (await conn.execute(_FIND, given)).fetchall()
        except psycopg.Error as error:
            log.warning("contents_unknown", error=type(error).__name__)
            return {}
        return {
            bytes(digest): Holder(asset_id=asset_id, position=Position.from_token(position))
            for digest, asset_id, position in rows
        }

    async def note(
        self, owner_id: UUID, digests: tuple[bytes, ...], holder: Holder, *, until: datetime | None = None
    ) -> None:
        """As the Protocol says."""
        given = {
            "owner_id": owner_id,
            "digests": list(digests),
            "asset_id": holder.asset_id,
            "position": holder.position.token(),
            "until": until,
        }
        try:
            async with self._pool.connection() as conn:
                await conn.execute(_NOTE, given)
        except psycopg.Error as error:
            log.warning("contents_not_noted", error=type(error).__name__)


@dataclass(slots=True)
class InMemoryContents:
    """The twin for tests; `down` plays a database that is away."""

    down: bool = False
    held: dict[tuple[UUID, bytes], Holder] = field(default_factory=dict)
    ends: dict[tuple[UUID, bytes], datetime | None] = field(default_factory=dict)

    async def find(self, owner_id: UUID, digests: tuple[bytes, ...]) -> dict[bytes, Holder]:
        """As the Protocol says."""
        if self.down:
            return {}
        return {digest: self.held[owner_id, digest] for digest in digests if (owner_id, digest) in self.held}

    async def note(
        self, owner_id: UUID, digests: tuple[bytes, ...], holder: Holder, *, until: datetime | None = None
    ) -> None:
        """As the Protocol says; forgetting is for the housekeeping, as in Postgres."""
        if not self.down:
            self.held |= {(owner_id, digest): holder for digest in digests}
            self.ends |= {(owner_id, digest): until for digest in digests}

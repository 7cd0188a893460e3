"""What the doors ask of the identity read models, and of the soft state that belongs to them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import psycopg

from adapters.read_store import Pool
from api.credentials.key_uses import KeyUse
from projections.account_activity import queries as activity
from projections.account_activity.queries import AccountActivityRow, Revocation
from projections.accounts import queries as accounts
from projections.accounts.queries import AccountRow
from projections.api_keys import queries as api_keys
from projections.api_keys.queries import ApiKeyRow
from projections.erasures import queries as erasures
from projections.erasures.queries import ErasureRow
from projections.sessions import queries as sessions
from projections.sessions.queries import SessionRow, Standing
from projections.waiting import PositionWatch


class Accounts(Protocol):
    """Without a database calls raise psycopg.OperationalError, but for those that say otherwise."""

    async def by_key(self, account_key: str) -> AccountRow | None:
        """The account of an address."""
        ...

    async def by_user(self, user_id: UUID) -> AccountRow | None:
        """The account of a person."""
        ...

    async def page(self, *, limit: int, before: tuple[datetime, UUID] | None) -> list[AccountRow]:
        """Accounts, newest first, after the one that `before` (registered_at, user_id) names."""
        ...

    async def standing(self, *, session_id: UUID, user_id: UUID) -> Standing:
        """How a person's session stands."""
        ...

    async def live_sessions(self, user_id: UUID, now: datetime, limit: int) -> list[SessionRow]:
        """A person's sessions that have not ended, newest first."""
        ...

    async def keys_by_prefix(self, prefix: str) -> list[ApiKeyRow]:
        """The issued keys with this prefix."""
        ...

    async def key_of(self, *, user_id: UUID, key_id: UUID) -> ApiKeyRow | None:
        """One key of a person, revoked or not."""
        ...

    async def keys_of(self, user_id: UUID, limit: int) -> list[ApiKeyRow]:
        """A person's keys that were not revoked, newest first."""
        ...

    async def erasure(self, erasure_id: UUID) -> ErasureRow | None:
        """How far an erasure is."""
        ...

    async def by_event_id(self, event_id: UUID) -> AccountActivityRow | None:
        """What became of an identity event; of repeats the one that counted."""
        ...

    async def revocations(
        self, after: Mapping[int, int], since: datetime | None, limit: int
    ) -> list[Revocation]:
        """What was taken back, after a vector of positions and since a time of the log's."""
        ...

    def applied(self, partition: int) -> int:
        """The next offset of the identity log to be applied, as last heard; never raises."""
        ...

    def projecting(self, partition: int) -> bool:
        """Whether somebody applies this partition of the identity log; never raises."""
        ...

    def caught_up(self) -> bool:
        """Whether all of the identity log is being applied, and was all but for the newest; never raises."""
        ...

    async def note_key_uses(self, uses: Sequence[KeyUse]) -> None:
        """Keeps when keys were last used."""
        ...

    async def key_uses(self, key_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        """When each of the keys was last used, as far as that is kept."""
        ...


_NOTE_USES = b"""
insert into api.key_uses (key_id, user_id, last_used_at)
select * from unnest(%(keys)s::uuid[], %(users)s::uuid[], %(times)s::timestamptz[])
on conflict (key_id) do update set last_used_at = greatest(key_uses.last_used_at, excluded.last_used_at)
"""
_USES = b"select key_id, last_used_at from api.key_uses where key_id = any(%(keys)s)"


class PostgresAccounts:
    """The Protocol over a pool of connections and a watch of positions, which others open and close."""

    def __init__(self, pool: Pool, watch: PositionWatch, topic: str, partitions: int) -> None:
        """`topic` is the identity log, which has so many partitions."""
        self._pool, self._watch, self._topic = pool, watch, topic
        self._partitions = range(partitions)

    async def by_key(self, account_key: str) -> AccountRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await accounts.account_by_key(conn, account_key)

    async def by_user(self, user_id: UUID) -> AccountRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await accounts.account_by_user(conn, user_id)

    async def page(self, *, limit: int, before: tuple[datetime, UUID] | None) -> list[AccountRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await accounts.accounts_page(conn, limit=limit, before=before)

    async def standing(self, *, session_id: UUID, user_id: UUID) -> Standing:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await sessions.standing(conn, session_id=session_id, user_id=user_id)

    async def live_sessions(self, user_id: UUID, now: datetime, limit: int) -> list[SessionRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await sessions.sessions_of(conn, user_id, live_at=now, limit=limit)

    async def keys_by_prefix(self, prefix: str) -> list[ApiKeyRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await api_keys.keys_by_prefix(conn, prefix)

    async def key_of(self, *, user_id: UUID, key_id: UUID) -> ApiKeyRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await api_keys.key_of(conn, user_id=user_id, key_id=key_id)

    async def keys_of(self, user_id: UUID, limit: int) -> list[ApiKeyRow]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await api_keys.keys_of(conn, user_id, unrevoked=True, limit=limit)

    async def erasure(self, erasure_id: UUID) -> ErasureRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await erasures.erasure(conn, erasure_id)

    async def by_event_id(self, event_id: UUID) -> AccountActivityRow | None:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await activity.by_event_id(conn, event_id)

    async def revocations(
        self, after: Mapping[int, int], since: datetime | None, limit: int
    ) -> list[Revocation]:
        """As the Protocol says."""
        async with self._connection() as conn:
            return await activity.revocations(conn, topic=self._topic, after=after, since=since, limit=limit)

    def applied(self, partition: int) -> int:
        """As the Protocol says."""
        return self._watch.positions(self._topic).get(partition, 0)

    def projecting(self, partition: int) -> bool:
        """As the Protocol says."""
        return self._watch.alive(self._topic, partition)

    def caught_up(self) -> bool:
        """As the Protocol says."""
        return all(self.projecting(partition) for partition in self._partitions)

    async def note_key_uses(self, uses: Sequence[KeyUse]) -> None:
        """As the Protocol says."""
        given = {
            "keys": [use.key_id for use in uses],
            "users": [use.user_id for use in uses],
            "times": [use.at for use in uses],
        }
        async with self._connection() as conn:
            await conn.execute(_NOTE_USES, given)

    async def key_uses(self, key_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        """As the Protocol says."""
        async with self._connection() as conn:
            found = await conn.execute(_USES, {"keys": list(key_ids)})
            return dict(await found.fetchall())

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        async with self._pool.connection() as conn:
            yield conn

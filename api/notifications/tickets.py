"""Tickets to the live stream: each opens one, once and soon, for whoever can use neither header nor cookie.

A ticket is random and says nothing. The credential that it stands for is kept under a key made of the ticket
itself: whoever reads the table reads nothing.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final, Protocol

from adapters.read_store import Pool
from api.notifications.passes import opened_with, sealed_with

LIFE: Final = timedelta(seconds=30)
_ABOUT: Final = b"ticket"
_SHAPE: Final = 43  # characters of 32 random bytes


class Tickets(Protocol):
    """Keeps sealed credentials by a ticket's digest, until they are taken, once. Raises psycopg.Error."""

    async def keep(self, digest: bytes, sealed: bytes, expires_at: datetime, now: datetime) -> None:
        """Keeps one, and forgets those that nobody took in time."""
        ...

    async def take(self, digest: bytes, now: datetime) -> bytes | None:
        """What was kept and is not out of date; a second time there is nothing."""
        ...


async def issue(tickets: Tickets, credential: str, expires_at: datetime, now: datetime) -> str:
    """A fresh ticket that stands for the credential."""
    ticket = secrets.token_urlsafe(32)
    sealed = sealed_with(_key(ticket), _ABOUT, credential.encode())
    await tickets.keep(_digest(ticket), sealed, expires_at, now)
    return ticket


async def redeem(tickets: Tickets, ticket: str, now: datetime) -> str | None:
    """The credential that the ticket stands for, the first time and in time; None otherwise."""
    if len(ticket) != _SHAPE:
        return None
    sealed = await tickets.take(_digest(ticket), now)
    clear = None if sealed is None else opened_with(_key(ticket), _ABOUT, sealed)
    return None if clear is None else clear.decode()


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


def _key(ticket: str) -> bytes:
    return hashlib.sha256(b"key\0" + ticket.encode()).digest()


class InMemoryTickets:
    """The twin for tests, and for one process alone."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[bytes, datetime]] = {}

    async def keep(self, digest: bytes, sealed: bytes, expires_at: datetime, now: datetime) -> None:
        """As the Protocol says."""
        self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}
        self._kept[digest] = (sealed, expires_at)

    async def take(self, digest: bytes, now: datetime) -> bytes | None:
        """As the Protocol says."""
        sealed, expires_at = self._kept.pop(digest, (b"", now))
        return sealed if expires_at > now else None

    def __len__(self) -> int:
        return len(self._kept)


# One statement each: of two that come at once with one ticket, the second finds no row.
_KEEP: Final = b"""
with swept as (delete from api.stream_tickets where expires_at <= %(now)s)
insert into api.stream_tickets (digest, sealed, expires_at) values (%(digest)s, %(sealed)s, %(until)s)
"""
_TAKE: Final = b"delete from api.stream_tickets where digest = %(digest)s returning sealed, expires_at"


class PostgresTickets:
    """The Protocol over a pool of connections that others open and close."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, digest: bytes, sealed: bytes, expires_at: datetime, now: datetime) -> None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            given = {"digest": digest, "sealed": sealed, "until": expires_at, "now": now}
            await conn.execute(_KEEP, given)

    async def take(self, digest: bytes, now: datetime) -> bytes | None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            row = await (await conn.execute(_TAKE, {"digest": digest})).fetchone()
        return bytes(row[0]) if row is not None and row[1] > now else None

"""One write as somebody meant it: under an Idempotency-Key its ids and its time are the same each time."""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import Header

from adapters.clock import new_id
from adapters.event_log import LogUnavailable
from adapters.owners import deterministic_id
from api.caller import Caller
from api.parts import Parts
from api.problems import KeyReused
from projections.activity.queries import ActivityRow

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[\\x21-\\x7e]+$",
        description="Repeat a request whose answer was lost under the same key: it takes effect once.",
    ),
]

# Somewhat more than an append may take, and less than the five seconds in which everybody is answered.
KEY_SECONDS: Final = 4.5
_PURPOSE: Final = b"darkroom/idempotency-scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a command starts from; made by `begin`.

    `asked_at` is the time of the first asking. `scope` stands for owner, route, target and key; None without
    a key, and then every id is a fresh one.
    """

    caller: Caller
    data_key_id: UUID
    asked_at: datetime
    said: bytes
    scope: bytes | None = None
    request_hash: bytes | None = None
    secret: bytes = b""

    def new_id(self, what: str) -> UUID:
        """An id for `what`: fresh without a key, with one always the same, and not to be guessed."""
        return new_id() if self.scope is None else deterministic_id(self.secret, self.scope, what)

    def new_nonce(self, what: str) -> str:
        """128 bits in hex that nobody can guess; with a key always the same."""
        if self.scope is None:
            return secrets.token_hex(16)
        return hmac.digest(self.secret, self.scope + what.encode(), hashlib.sha256)[:16].hex()


async def begin(
    parts: Parts, caller: Caller, *, route: str, key: str | None, said: bytes, target: str = ""
) -> Intent:
    """Starts a write; `said` are all bytes that make the request what it is.

    With a key it is reserved first; raises KeyReused where it is reserved for something else, and
    psycopg.OperationalError without a database. Raises what making a data key raises.
    """
    data_key_id = await data_key_of(parts, caller.user_id)
    intent = Intent(caller=caller, data_key_id=data_key_id, asked_at=parts.clock.now(), said=said)
    if key is None:
        return intent
    secret = parts.settings.secrets.id_key
    scope = scope_of(secret, str(caller.user_id), route, target, key)
    request_hash = parts.keys.mac(caller.user_id, data_key_id, said)
    reserved = await parts.reads.reserve(scope, request_hash, intent.asked_at)
    _same(parts, intent, reserved.request_hash)
    fresh = reserved.first_asked == intent.asked_at
    parts.metrics.http.reservations.of("fresh" if fresh else "repeated").inc()
    return replace(
        intent,
        asked_at=reserved.first_asked,
        scope=scope,
        request_hash=reserved.request_hash,
        secret=secret,
    )


async def data_key_of(parts: Parts, user_id: UUID) -> UUID:
    """A key to seal with. A person's first one is made now, and then their requests wait for each other."""
    try:
        async with asyncio.timeout(KEY_SECONDS):
            return await parts.keys.data_key(user_id)
    except TimeoutError as error:
        raise LogUnavailable("no data key could be made in time") from error


async def applied(parts: Parts, intent: Intent, event_id: UUID) -> ActivityRow | None:
    """The record of this write's event where it is known to have landed; None without a key.

    Raises KeyReused where it landed for another request (the reservation was lost with the database).
    """
    if intent.scope is None:
        return None
    row = await parts.reads.by_event_id(event_id)
    if row is not None and row.request_hash is not None:
        _same(parts, intent, row.request_hash)
    return row


def _same(parts: Parts, intent: Intent, request_hash: bytes) -> None:
    if not parts.keys.mac_matches(intent.caller.user_id, request_hash, intent.said):
        parts.metrics.http.reservations.of("conflict").inc()
        raise KeyReused


def scope_of(secret: bytes, *names: str) -> bytes:
    """What stands for an owner, a route, a target and a key: a keyed hash that nobody else can tell."""
    taken = hmac.new(secret, _PURPOSE, hashlib.sha256)
    for name in names:
        data = name.encode()
        taken.update(len(data).to_bytes(4) + data)
    return taken.digest()

"""Waiting for the log's word: whose an address is, and whether a change was decided on what still holds."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from adapters.event_log import OutcomeUnknown
from api.identity_problems import ChangedMeanwhile, Pending, ProjectorAway
from api.intent import Intent
from api.origin import metadata
from api.parts import Parts
from api.problems import NotFound
from projections.account_activity.queries import AccountActivityRow
from projections.accounts.queries import AccountRow
from projections.waiting import NotYetApplied
from schemas.events import Event, IdentityEvent
from schemas.partitioner import partition_for
from schemas.positions import Position

# Whoever loses so many times against others who change the same account is told.
ATTEMPTS: Final = 3


def key_or_fresh(key: str | None) -> str:
    """The Idempotency-Key that was given, or one to tell the caller of when the log's word does not come."""
    return key if key is not None else secrets.token_urlsafe(18)


def identity_partition(parts: Parts, account_key: str) -> int:
    """Which partition of the identity log orders an account."""
    return partition_for(account_key.encode(), parts.settings.kafka.partitions)


def require_projecting(parts: Parts, account_key: str) -> None:
    """Raises ProjectorAway where the log's word could not be heard; then nothing should be appended."""
    if not parts.identity.accounts.projecting(identity_partition(parts, account_key)):
        raise ProjectorAway


async def append_under(parts: Parts, event: Event, key: str, *, causation_id: UUID | None = None) -> Position:
    """Appends; raises Pending, with the key to repeat it under, where nobody knows whether it landed."""
    try:
        return await parts.log.append(event, metadata(causation_id=causation_id))
    except OutcomeUnknown as error:
        raise pending(key) from error


async def heard(parts: Parts, event: Event, key: str, *, causation_id: UUID | None = None) -> Position:
    """Appends, and returns once the read models have heard it; raises Pending."""
    position = await append_under(parts, event, key, causation_id=causation_id)
    await decided(parts, position, key)
    return position


async def said_once(parts: Parts, event: IdentityEvent) -> Position:
    """Where an event of a repeatable id stands; it is appended unless it is applied already."""
    found = await parts.identity.accounts.by_event_id(event.event_id)
    if found is not None:
        return place_of(found)
    return await parts.log.append(event, metadata())


def place_of(row: AccountActivityRow) -> Position:
    """Where the record of an applied event stands."""
    return Position(topic=row.topic, partition=row.partition, offset=row.offset)


async def decided(parts: Parts, position: Position, key: str) -> None:
    """Returns once the read models have passed the position; raises Pending when that takes too long."""
    try:
        with parts.metrics.identity.verdict_seconds.of().time():
            await parts.reads.wait_for(position, parts.settings.identity.verdict_wait.total_seconds())
    except NotYetApplied as error:
        raise pending(key) from error


def pending(key: str) -> Pending:
    """The answer that it is not decided yet; it says under which key to ask again."""
    return Pending(headers={"Retry-After": "1"}, idempotency_key=key)


async def settled(
    parts: Parts,
    intent: Intent,
    *,
    key: str,
    what: str,
    user_id: UUID,
    decide: Callable[[UUID, AccountRow], Awaitable[IdentityEvent]],
) -> AccountActivityRow:
    """Has a change of an account accepted, deciding again where another change came first.

    `decide` gives the event of this id, for this version of the account; it may raise. What was accepted
    under the same intent before is found, and not said again. Raises NotFound without such an account,
    ChangedMeanwhile, Pending, ProjectorAway.
    """
    accounts = parts.identity.accounts
    for attempt in range(ATTEMPTS):
        event_id = intent.new_id(f"{what} {attempt}")
        found = await accounts.by_event_id(event_id)
        if found is None:
            account = await accounts.by_user(user_id)
            if account is None:
                raise NotFound
            require_projecting(parts, account.account_key)
            await heard(parts, await decide(event_id, account), key)
            found = await accounts.by_event_id(event_id)
        if found is None:
            raise pending(key)
        if found.accepted:
            return found
    raise ChangedMeanwhile

"""Changing an asset: decided on the version that it has, and answered once the log's word is known."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from fastapi import Response

from api.asset_problems import AssetChanged, AssetSetAside
from api.commands.answers import position_of, say_position
from api.commands.verdicts import ATTEMPTS, heard, pending
from api.etags import require_version
from api.identity_problems import ProjectorAway
from api.intent import Intent, applied
from api.parts import Parts
from api.problems import NotFound
from api.representations import asset_answer
from projections.assets.queries import AssetRow
from schemas.envelope import key_of
from schemas.events import AssetEvent
from schemas.positions import Position


class Heading(TypedDict):
    """What each change of an asset says of itself: who asked for it, when, and decided on which version."""

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int
    request_hash: bytes | None


def heading(intent: Intent, event_id: UUID, row: AssetRow) -> Heading:
    """The heading of the event that changes the asset as it is in this row."""
    return Heading(
        event_id=event_id,
        occurred_at=intent.asked_at,
        asset_id=row.asset_id,
        owner_id=row.owner_id,
        actor_id=intent.caller.user_id,
        expected_version=row.version,
        request_hash=intent.request_hash,
    )


Decide = Callable[[UUID, AssetRow], Awaitable[AssetEvent | None]]
"""The event of this id for an asset as it is; None where there is nothing to change. It may raise."""


async def settled(
    parts: Parts,
    intent: Intent,
    *,
    key: str,
    what: str,
    asset_id: UUID,
    if_match: str | None = None,
    owner_id: UUID | None = None,
    causation_id: UUID | None = None,
    decide: Decide,
) -> Position:
    """Has a change of an asset accepted, deciding again where another change came first.

    The asset is the caller's, or that of `owner_id`, for whom an administrator acts.

    The position up to which whoever wants to see it must have read. What was accepted under the same intent
    before is found, and not said again. Raises NotFound without such an asset of the caller's, VersionLost
    where `if_match` names another version or loses against another change, AssetChanged, ProjectorAway, and
    Pending with the key to repeat it under.
    """
    for attempt in range(ATTEMPTS):
        event_id = intent.new_id(f"{what} {attempt}")
        found = await applied(parts, intent, event_id)
        if found is None:
            row = await own_asset(parts, intent, asset_id, owner_id)
            require_version(if_match, row.version)
            event = await decide(event_id, row)
            if event is None:
                return row_position(parts, row)
            await _said(parts, event, row, key, causation_id)
            found = await parts.reads.by_event_id(event_id)
        if found is None:
            raise pending(key)
        if found.accepted:
            return position_of(found)
    raise AssetChanged


async def own_asset(parts: Parts, intent: Intent, asset_id: UUID, owner_id: UUID | None = None) -> AssetRow:
    """The asset of the caller, or of `owner_id`, as the read model has it; raises NotFound."""
    row = await parts.reads.asset(owner_id=owner_id or intent.caller.user_id, asset_id=asset_id)
    if row is None:
        raise NotFound
    return row


async def shown(parts: Parts, intent: Intent, asset_id: UUID, position: Position) -> Response:
    """The answer to a change: the asset as it is now; raises NotFound where it has gone meanwhile."""
    row = await own_asset(parts, intent, asset_id)
    response = asset_answer(row, addresses=parts.addresses, now=parts.clock.now())
    say_position(response, position)
    return response


def row_position(parts: Parts, row: AssetRow) -> Position:
    """The last record that changed the row."""
    topic = parts.settings.kafka.topics.assets
    return Position(topic=topic, partition=row.position_partition, offset=row.position_offset)


async def _said(parts: Parts, event: AssetEvent, row: AssetRow, key: str, causation_id: UUID | None) -> None:
    """Appends, and returns once the read models have heard it; nothing is begun that nobody would decide."""
    topic = parts.settings.kafka.topics.assets
    if not parts.reads.projecting(topic, row.position_partition):
        raise ProjectorAway
    if await parts.work.set_aside(topic, row.position_partition, key_of(event)):
        raise AssetSetAside
    await heard(parts, event, key, causation_id=causation_id)

"""Answers as of an instant of the log or a position in it: an asset, a gallery, what lies in the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query

from api.parts import Parts
from api.problems import NotFound, invalid
from projections.assets.queries import AssetRow
from projections.of_assets import Changed
from projections.past import queries as past
from projections.past.queries import Begun, Moment
from projections.storage.queries import StorageRow
from projections.waiting import NotYetApplied
from schemas.positions import InvalidPosition, Position

_MOST_RECORDS: Final = 2_000
"""No answer reads more of the log: each record is fetched by itself."""

At = Annotated[
    str | None,
    Query(
        max_length=500,
        description="As it was then: an instant with its zone (by the log's clock) or a Darkroom-Position. "
        "Addresses of objects that are gone since lead nowhere; words of the erased stay null.",
        examples=["2026-05-01T12:00:00Z"],
    ),
]


async def moment_of(parts: Parts, at: str) -> Moment:
    """What `at` names; raises Invalid where it is nothing, in the future, or before the log's beginning."""
    try:
        instant = datetime.fromisoformat(at.replace(" ", "+"))
    except ValueError:
        return await _moment_at(parts, at)
    if instant.tzinfo is None:
        raise invalid("query.at", "An instant needs its zone, as in 2026-05-01T12:00:00Z.")
    if instant > parts.clock.now():
        raise invalid("query.at", "That lies in the future.")
    begun = await parts.past.beginning()
    if begun is None or instant < begun:
        raise invalid("query.at", "That was before the log began.")
    return Moment(log_time=instant)


async def asset_at(parts: Parts, owner_id: UUID, asset_id: UUID, at: str) -> AssetRow:
    """The asset as it was; raises NotFound where it was not, or was somebody else's."""
    changed = await _changed(parts, owner_id, [asset_id], await moment_of(parts, at))
    row = past.rows(changed, parts.keys).get(asset_id)
    if row is None:
        raise NotFound
    return row


async def page_at(
    parts: Parts, owner_id: UUID, at: str, *, before: Begun | None, limit: int
) -> tuple[list[AssetRow], Begun | None]:
    """Up to `limit` assets that stood in the gallery, newest request first, and where the next page begins.

    What was purged, called off or lay in the trash is left out, so that a page may be shorter; the last has
    no next.
    """
    moment = await moment_of(parts, at)
    found = await parts.past.begun(owner_id, moment, before, limit + 1)
    ids = [one.asset_id for one in found[:limit]]
    changed = await _changed(parts, owner_id, ids, moment) if ids else {}
    standing = {asset_id: each for asset_id, each in changed.items() if not each.state.called_off}
    rows = past.rows(standing, parts.keys)
    shown = [rows[asset_id] for asset_id in ids if asset_id in rows and rows[asset_id].deleted_at is None]
    return shown, found[limit - 1] if len(found) > limit else None


async def storage_at(parts: Parts, owner_id: UUID | None, at: str) -> list[StorageRow]:
    """What an owner's assets held then; None is everybody."""
    changed = await _changed(parts, owner_id, None, await moment_of(parts, at))
    return past.storage(one.state for one in changed.values())


async def _changed(
    parts: Parts, owner_id: UUID | None, asset_ids: Sequence[UUID] | None, moment: Moment
) -> dict[UUID, Changed]:
    spots = await parts.past.spots(owner_id, asset_ids, moment, _MOST_RECORDS + 1)
    if len(spots) > _MOST_RECORDS:
        raise invalid(
            "query.at",
            f"That takes more than {_MOST_RECORDS} records of the log; ask for less at a time, or have an "
            "operator ask by `python -m ops state`.",
        )
    return past.states(await parts.past.records(spots), parts.codec)


async def _moment_at(parts: Parts, at: str) -> Moment:
    try:
        position = Position.from_token(at)
    except InvalidPosition as error:
        raise invalid("query.at", "That is neither an instant nor a position.") from error
    kafka = parts.settings.kafka
    log_time = None
    if position.topic == kafka.topics.assets and position.partition < kafka.partitions:
        await _passed(parts, position)
        log_time = await parts.past.logged_at(position)
    if log_time is None:
        raise invalid("query.at", "No record of an asset stands there.")
    return Moment(log_time=log_time, partition=position.partition, offset=position.offset)


async def _passed(parts: Parts, position: Position) -> None:
    """Returns once the read models have passed what a write answered with; raises Invalid where none did."""
    try:
        await parts.reads.wait_for(position, parts.settings.doors.read_wait.total_seconds())
    except NotYetApplied as error:
        raise invalid(
            "query.at", "That lies in the future: the read models have come to no such record."
        ) from error

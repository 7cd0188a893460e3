"""How the doors ask for room, and how they say that there is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from adapters.clock import new_id
from adapters.event_log import OutcomeUnknown
from api.parts import Parts
from api.quota.protocol import NoRoom, Room, TooManyUnderWay
from api.upload_problems import QuotaExceeded, TooManyUploads


@asynccontextmanager
async def promised(
    parts: Parts, owner_id: UUID, asset_id: UUID, size: int, *, instead_of: UUID | None = None
) -> AsyncIterator[None]:
    """Room for a file, which whatever is done inside makes use of; taken back where that fails for sure.

    Raises QuotaExceeded and TooManyUploads, which say what is left.
    """
    await _reserve(parts, owner_id, asset_id, size, instead_of)
    try:
        yield
    except OutcomeUnknown:
        raise  # it may have landed, and then the room is taken
    except BaseException:
        await parts.quotas.release(asset_id)
        raise


@asynccontextmanager
async def awaited(parts: Parts, owner_id: UUID) -> AsyncIterator[UUID]:
    """A place for a file of unknown size that is on its way in; gives its name, for `promised` to replace."""
    place = new_id()
    await _reserve(parts, owner_id, place, 0, None)
    try:
        yield place
    finally:
        await parts.quotas.release(place)


async def _reserve(parts: Parts, owner_id: UUID, asset_id: UUID, size: int, instead_of: UUID | None) -> None:
    try:
        await parts.quotas.reserve(owner_id, asset_id, size, instead_of=instead_of)
    except TooManyUnderWay as error:
        raise TooManyUploads(**_said(error.room)) from error
    except NoRoom as error:
        raise QuotaExceeded(**_said(error.room)) from error


def _said(room: Room) -> dict[str, Any]:
    left = {"bytes_left": room.bytes, "files_left": room.files, "uploads_left": room.uploads}
    return {name: amount for name, amount in left.items() if amount is not None}

"""The chore that says of uploads which never came that they will not."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4, uuid5

from ops.housekeeping import rows
from ops.housekeeping.chore import SOURCE, Chore, Done, Tools
from ops.housekeeping.rows import Overdue
from schemas.envelope import Metadata
from schemas.events import UploadExpired

# The clocks of a door, who completes, and ours may differ by so much.
_MARGIN: Final = timedelta(minutes=1)
# What was said and is not applied yet is not said again for so long.
_SAY_AGAIN: Final = timedelta(minutes=1)
_AT_ONCE: Final = 500
_SIDE_BY_SIDE: Final = 50


def chore(tools: Tools) -> Chore:
    """Looks every half minute."""
    return Chore(name="expiry", every=timedelta(seconds=30), turn=Expiry(tools, _asked(tools)).turn)


def decide(upload: Overdue, now: datetime) -> UploadExpired:
    """The event; its id depends on the upload alone, so that saying it twice is saying it once.

    It names no version: a completion holds, whether it stands before it in the log or after it.
    """
    return UploadExpired(
        event_id=uuid5(upload.upload_id, "expired"),
        occurred_at=now,
        asset_id=upload.asset_id,
        owner_id=upload.owner_id,
        upload_id=upload.upload_id,
        code="expired",
    )


def _asked(tools: Tools) -> Callable[[datetime], list[Overdue]]:
    def overdue(before: datetime) -> list[Overdue]:
        with tools.connect() as conn:
            return rows.overdue(conn, before, limit=_AT_ONCE)

    return overdue


class Expiry:
    """Knows what it has just said, for the read models may lag."""

    def __init__(self, tools: Tools, overdue: Callable[[datetime], list[Overdue]]) -> None:
        """`overdue` gives uploads whose time was over before then; it blocks."""
        self._tools = tools
        self._overdue = overdue
        self._said: dict[UUID, datetime] = {}

    async def turn(self) -> Done:
        """Appends one UploadExpired for each upload that is overdue."""
        now = self._tools.clock.now()
        self._said = {upload: at for upload, at in self._said.items() if now - at < _SAY_AGAIN}
        grace = self._tools.settings.doors.upload_grace
        found = await asyncio.to_thread(self._overdue, now - grace - _MARGIN)
        due = [upload for upload in found if upload.upload_id not in self._said]
        for start in range(0, len(due), _SIDE_BY_SIDE):
            await self._say(due[start : start + _SIDE_BY_SIDE], now)
        return {"expired": len(due)}

    async def _say(self, uploads: Sequence[Overdue], now: datetime) -> None:
        said = await asyncio.gather(
            *(
                self._tools.log.append(decide(upload, now), Metadata(correlation_id=uuid4(), source=SOURCE))
                for upload in uploads
            ),
            return_exceptions=True,
        )
        for upload, end in zip(uploads, said, strict=True):
            if isinstance(end, BaseException):
                raise end
            self._said[upload.upload_id] = now
            self._tools.failpoints.hit("housekeeping.after_expiry")

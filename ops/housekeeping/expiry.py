"""The chore that says of uploads which never came that they will not."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from ops.housekeeping import rows
from ops.housekeeping.chore import Chore, Done, Tools
from ops.housekeeping.rows import Overdue
from ops.housekeeping.saying import Saying
from schemas.events import UploadExpired

# The clocks of a door, who completes, and ours may differ by so much.
_MARGIN: Final = timedelta(minutes=1)
_AT_ONCE: Final = 500


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
    """Says it of each upload once, and again where nothing came of it."""

    def __init__(self, tools: Tools, overdue: Callable[[datetime], list[Overdue]]) -> None:
        """`overdue` gives uploads whose time was over before then; it blocks."""
        self._tools, self._overdue = tools, overdue
        self._saying = Saying(tools, failpoint="housekeeping.after_expiry")

    async def turn(self) -> Done:
        """Appends one UploadExpired for each upload that is overdue."""
        now = self._tools.clock.now()
        grace = self._tools.settings.doors.upload_grace
        found = await asyncio.to_thread(self._overdue, now - grace - _MARGIN)
        said = await self._saying.say([decide(upload, now) for upload in found], now)
        return {"expired": len(said)}

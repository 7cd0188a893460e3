"""Saying what is due: each event once for as long as the read models may lag, several side by side."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID, uuid4

from ops.housekeeping.chore import SOURCE, Tools
from schemas.envelope import Metadata
from schemas.events import AssetEvent

_E = TypeVar("_E", bound=AssetEvent)

# What was said and is not applied yet is not said again for so long.
_SAY_AGAIN: Final = timedelta(minutes=1)
_SIDE_BY_SIDE: Final = 50


class Saying:
    """Knows what it has just said, by event ids that depend on what they say alone."""

    def __init__(self, tools: Tools, *, failpoint: str) -> None:
        """`failpoint` is passed after each event that was acknowledged."""
        self._tools, self._failpoint = tools, failpoint
        self._said: dict[UUID, datetime] = {}

    async def say(self, events: Sequence[_E], now: datetime) -> list[_E]:
        """Appends those not said in the last minute, and returns them; raises what an append does."""
        self._said = {event_id: at for event_id, at in self._said.items() if now - at < _SAY_AGAIN}
        due = [event for event in events if event.event_id not in self._said]
        for start in range(0, len(due), _SIDE_BY_SIDE):
            await self._append(due[start : start + _SIDE_BY_SIDE], now)
        return due

    async def _append(self, events: Sequence[_E], now: datetime) -> None:
        log = self._tools.log
        said = await asyncio.gather(
            *(log.append(event, Metadata(correlation_id=uuid4(), source=SOURCE)) for event in events),
            return_exceptions=True,
        )
        for event, end in zip(events, said, strict=True):
            if isinstance(end, BaseException):
                raise end
            self._said[event.event_id] = now
            self._tools.failpoints.hit(self._failpoint)

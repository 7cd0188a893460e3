"""When each issued key was last used: noted in memory, written in blocks, lost with the process at worst."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
import structlog

from adapters.telemetry import Loop

# Whoever looks at when a key was last used does not mind so many seconds.
WRITE_SECONDS: Final = 10.0
_DATABASE: Final = "database"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """The last time that a key was believed."""

    key_id: UUID
    user_id: UUID
    at: datetime


class KeyUses:
    """Collects uses and hands them to `write`, one for each key and block."""

    def __init__(
        self, write: Callable[[Sequence[KeyUse]], Awaitable[None]], *, every: float = WRITE_SECONDS
    ) -> None:
        self._write, self._every = write, every
        self._noted: dict[UUID, KeyUse] = {}
        self._task: asyncio.Task[None] | None = None
        self._loop = Loop()

    def note(self, key_id: UUID, user_id: UUID, at: datetime) -> None:
        """The key was used."""
        self._noted[key_id] = KeyUse(key_id=key_id, user_id=user_id, at=at)

    def start(self, loop: Loop | None = None) -> None:
        """Begins to write every now and then; `loop` shows how it is."""
        self._loop = loop or Loop()
        self._task = asyncio.create_task(self._run(), name="key-uses")

    async def close(self) -> None:
        """Writes what is left, where that works, and stops."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            await self.flush()

    async def flush(self) -> None:
        """Writes what was noted; without a database it waits for the next time."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        self._loop.beat()
        try:
            # In one order, so that two processes never wait for each other.
            await self._write(sorted(noted.values(), key=lambda use: use.key_id))
        except psycopg.Error as error:
            name = type(error).__name__
            self._loop.trouble(_DATABASE, name, error=f"{_DATABASE}: {name}")
            log.warning("key_uses_unwritten", error=name)
            self._noted = {**noted, **self._noted}
        else:
            self._loop.well(_DATABASE)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self.flush()

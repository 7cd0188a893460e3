"""Follows what is taken back, in whichever process, so that it is denied here within a second."""

import asyncio
import contextlib
import random
from datetime import datetime, timedelta
from typing import Final

import psycopg
import structlog

from adapters.clock import Clock
from adapters.telemetry import Loop
from api.credentials.denials import Denials
from api.queries.accounts import Accounts
from api.queries.reads import Reads, Wakes
from projections.account_activity.queries import Revocation

# A wake-up can get lost; then this bounds how long what was revoked still works.
_LOOK_SECONDS: Final = 0.5
_BLOCK: Final = 1000
# What a token outlived because the read models were behind when it was minted is heard of all the same.
_LOOK_BACK: Final = timedelta(hours=1)
_FORGET_EVERY: Final = 120

log = structlog.get_logger(__name__)


class DenialTail:
    """Begins with what is younger than any token's life, and follows from there.

    While the database is away nothing is heard: then a token's own life is what bounds it.
    """

    def __init__(
        self,
        accounts: Accounts,
        reads: Reads,
        denials: Denials,
        *,
        partitions: int,
        clock: Clock,
        loop: Loop,
    ) -> None:
        self._accounts, self._reads, self._denials = accounts, reads, denials
        self._numbers, self._clock, self._loop = range(partitions), clock, loop
        self._after: dict[int, int] | None = None
        self._turns = 0
        self._looked_at: list[int] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to follow; returns at once."""
        self._task = asyncio.create_task(self._run(), name="denial-tail")

    async def close(self) -> None:
        """Stops following."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def look(self) -> None:
        """Takes in all that is new; raises psycopg.Error."""
        if self._after is None:
            # Asked first: what is applied later is read by its place, however old it is by then.
            applied = {partition: self._accounts.applied(partition) - 1 for partition in self._numbers}
            await self._load({}, since=self._clock.now() - self._denials.life - _LOOK_BACK)
            self._after = applied
        await self._load(self._after, since=None)

    async def _load(self, after: dict[int, int], since: datetime | None) -> None:
        """Takes what follows on `after`, and moves it."""
        while True:
            found = await self._accounts.revocations(after, since, _BLOCK)
            for one in found:
                after[one.partition] = one.offset
                apply(self._denials, one)
            if len(found) < _BLOCK:
                return

    async def _run(self) -> None:
        with self._reads.subscribe() as wakes:
            while True:
                await self._turn(wakes)

    async def _turn(self, wakes: Wakes) -> None:
        self._loop.beat()
        try:
            if self._anything_new():
                await self.look()
        except psycopg.Error as error:
            self._looked_at = None
            name = type(error).__name__
            self._loop.trouble("read models", name, error=f"read models: {name}")
            log.warning("denials_unreadable", error=name)
            await asyncio.sleep(random.uniform(_LOOK_SECONDS / 2, _LOOK_SECONDS))  # noqa: S311 - jitter
        else:
            self._loop.well("read models")
        self._turns += 1
        if self._turns % _FORGET_EVERY == 0:
            self._denials.forget()
        await wakes.woken(_LOOK_SECONDS)

    def _anything_new(self) -> bool:
        applied = [self._accounts.applied(partition) for partition in self._numbers]
        new, self._looked_at = applied != self._looked_at, applied
        return new


def apply(denials: Denials, one: Revocation) -> None:
    """Denies what a record of the log took back."""
    match one.event_type:
        case "SessionRevoked" | "SessionRefreshed" if one.session_id is not None:
            denials.session_ended(one.session_id)
        case "ApiKeyRevoked" if one.key_id is not None:
            denials.key_ended(one.key_id)
        case "PasswordChanged" | "RoleChanged" if one.version is not None:
            # Of a password the session is named that changed it, and lives on.
            denials.account_changed(one.user_id, version=one.version, kept=one.session_id)
        case _:
            denials.account_ended(one.user_id)

"""Hashes passwords with argon2id in a few threads of their own, so that logins can't starve anything else."""

import asyncio
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from adapters.password_policy import canonical_password

_T = TypeVar("_T")

# OWASP's floor for argon2id: 19 MiB (in KiB), two passes, one lane.
MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
LANES: Final = 1
# Threads that hash give way to whoever answers requests.
_NICENESS: Final = 5


class HashingBusy(Exception):
    """As many passwords are waiting as may wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Whether a password was right; if so and its hash is of an older kind, `fresh` is a new one to keep."""

    right: bool
    fresh: str | None = None


class PasswordHashes:
    """Hashes and checks, `threads` at a time; at most `queue` wait, others get HashingBusy at once."""

    def __init__(
        self, *, threads: int, queue: int, passes: int = PASSES, memory_kib: int = MEMORY_KIB
    ) -> None:
        """Hashes once, so that checking against nobody takes what checking against somebody takes."""
        hasher = Argon2Hasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        self._argon2 = PasswordHash([hasher])
        self._nobody = self._argon2.hash(secrets.token_urlsafe(24))
        self._room = threads + queue
        self._inside = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords", initializer=_give_way)

    async def hash(self, password: str) -> str:
        """A fresh hash in PHC form; raises HashingBusy."""
        return await self._run(lambda: self._argon2.hash(canonical_password(password)))

    async def check(self, password: str, known: str | None) -> Checked:
        """Whether `known` is the password's hash; with None it never is, and that takes as long.

        Raises HashingBusy.
        """
        return await self._run(lambda: self._checked(canonical_password(password), known))

    async def run(self, work: Callable[[], _T]) -> _T:
        """Other slow work on a password, in the same threads and the same queue; raises HashingBusy."""
        return await self._run(work)

    @property
    def waiting(self) -> int:
        """How many are being hashed or wait."""
        return self._inside

    def close(self) -> None:
        """Ends the threads; what waits is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _checked(self, password: str, known: str | None) -> Checked:
        if known is None:
            self._argon2.verify(password, self._nobody)
            return Checked(right=False)
        try:
            right, fresh = self._argon2.verify_and_update(password, known)
        except UnknownHashError:  # of a kind that no version of ours ever wrote
            return Checked(right=False)
        return Checked(right=right, fresh=fresh)

    async def _run(self, work: Callable[[], _T]) -> _T:
        if self._inside >= self._room:
            raise HashingBusy
        self._inside += 1
        doing = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # Counted until the thread is done with it, which may be after whoever asked has gone.
        doing.add_done_callback(self._leave)
        return await doing

    def _leave(self, _done: object) -> None:
        self._inside -= 1


def _give_way() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)

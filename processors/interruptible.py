"""Work on one record that can be interrupted at any moment, and then says so instead of dying quietly."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from processors.failures import Interruption

T = TypeVar("T")


class Interruptible:
    """One record's work. `interrupt` ends what runs now and whatever would be run later.

    `failed_at` is when an attempt of ours first ended badly.
    """

    def __init__(self) -> None:
        self.code: str | None = None
        self.began = False
        self.failed_at: datetime | None = None
        self._running: asyncio.Task[Any] | None = None

    def interrupt(self, code: str) -> None:
        """Ends the work, for the reason `code` (shutdown, rebalance); the first reason stays."""
        if self.code is not None:
            return
        self.code = code
        if self._running is not None:
            self._running.cancel()

    async def run(self, step: Coroutine[Any, Any, T]) -> T:
        """The result of `step`; raises Interruption once the work was interrupted."""
        if self.code is not None:
            step.close()
            raise Interruption(self.code)
        task = asyncio.ensure_future(step)
        self._running = task
        try:
            return await task
        except asyncio.CancelledError:
            if self.code is None:
                raise
            raise Interruption(self.code) from None
        finally:
            self._running = None

"""A record in the worker's hand, which can be let go of at any moment of its work."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from processors.failures import Interruption

T = TypeVar("T")


class Hand:
    """One record being worked on. `cut` ends what is held now and whatever would be held later."""

    def __init__(self) -> None:
        self.code: str | None = None
        self.working = False
        self._held: asyncio.Task[Any] | None = None

    def cut(self, code: str) -> None:
        """Lets go, for the reason `code` (shutdown, rebalance); the first reason stays."""
        if self.code is not None:
            return
        self.code = code
        if self._held is not None:
            self._held.cancel()

    async def hold(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`; raises Interruption once the hand was cut."""
        if self.code is not None:
            work.close()
            raise Interruption(self.code)
        task = asyncio.ensure_future(work)
        self._held = task
        try:
            return await task
        except asyncio.CancelledError:
            if self.code is None:
                raise
            raise Interruption(self.code) from None
        finally:
            self._held = None

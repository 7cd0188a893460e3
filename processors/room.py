"""How many jobs a worker has in hand at a time: a few of any size, and more while they are small."""

import asyncio
from collections import deque


class Room:
    """Room for `jobs` of any size, and for `small` more while all in hand hold at most `size` bytes.

    A small picture is rendered faster than its store and log answer: only with more of them in hand do the
    children always have one to render. Who came first is let in first, whatever its size.
    """

    def __init__(self, *, jobs: int, small: int = 0, size: int = 0) -> None:
        self._jobs = jobs
        self._small = small
        self._size = size
        self._in_hand = 0
        self._held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, size: int) -> None:
        """Waits until there is room for a job over so many bytes; whoever entered must `leave`.

        Cancelled, nothing was entered.
        """
        if not self._waiting and self._fits(size):
            self._take(size)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._let_in()  # who waits behind may be smaller
            else:
                self.leave(size)  # let in and cancelled at once
            raise

    def leave(self, size: int) -> None:
        """Gives back what `enter` took, for whoever waits."""
        self._in_hand -= 1
        self._held -= size
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if not turn.cancelled():
                if not self._fits(size):
                    return
                self._take(size)
                turn.set_result(None)
            self._waiting.popleft()

    def _take(self, size: int) -> None:
        self._in_hand += 1
        self._held += size

    def _fits(self, size: int) -> bool:
        if self._in_hand < self._jobs:
            return True
        return self._in_hand < self._jobs + self._small and self._held + size <= self._size

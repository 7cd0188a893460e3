"""How much is worked on at a time, a few of any size and more while they are small, and whose turn it is."""

import asyncio
from collections import OrderedDict, deque


class Room:
    """Room for `jobs` of any size, and for `small` more while all in hand hold at most `size` bytes.

    A small picture is rendered faster than its store and log answer: only with more of them in hand do the
    children always have one to render.

    Owners who wait take turns, so that one with a single job waits for one of each other owner's at most,
    however many these have. Of one owner's jobs who came first is let in first, whatever its size.
    """

    def __init__(self, *, jobs: int, small: int = 0, size: int = 0) -> None:
        self._jobs = jobs
        self._small = small
        self._size = size
        self._in_hand = 0
        self._held = 0
        # The first owner is the next; nobody stands here without a job that waits.
        self._waiting: OrderedDict[str, deque[tuple[int, asyncio.Future[None]]]] = OrderedDict()

    async def enter(self, size: int, *, owner: str) -> None:
        """Waits until there is room for a job of `owner` over so many bytes; whoever entered must `leave`.

        Cancelled, nothing was entered.
        """
        if not self._waiting and self._fits(size):
            self._take(size)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append((size, turn))
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
            owner, jobs = next(iter(self._waiting.items()))
            while jobs and jobs[0][1].cancelled():
                jobs.popleft()
            if jobs:
                size, turn = jobs[0]
                if not self._fits(size):
                    return
                self._take(size)
                turn.set_result(None)
                jobs.popleft()
                self._waiting.move_to_end(owner)
            if not jobs:
                del self._waiting[owner]

    def _take(self, size: int) -> None:
        self._in_hand += 1
        self._held += size

    def _fits(self, size: int) -> bool:
        if self._in_hand < self._jobs:
            return True
        return self._in_hand < self._jobs + self._small and self._held + size <= self._size

"""The children that live: who may be used again for whom, and who has to go."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from processors.sandbox.member import Member, born
from processors.sandbox.nursery import Nursery
from processors.sandbox.outcomes import SandboxUnavailable, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """How long one child is kept: jobs done, and the most memory it has ever held, in KiB."""

    jobs: int = 200
    peak_rss_kib: int = 300 * 1024


class Pool:
    """Idle children, and the fork server they come from; one that is lost is replaced.

    Whoever takes a child gives it back or dismisses it; no more than `size` are taken at a time (the caller
    sees to that), and no more than `size` live.
    """

    def __init__(self, *, size: int, wear: Wear, found: Callable[[], Nursery]) -> None:
        self._size = size
        self._wear = wear
        self._found = found
        self._nursery: Nursery | None = None
        self._status: Status | None = None
        self._starting = asyncio.Lock()
        self._idle: list[Member] = []
        self._taken = 0
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def status(self) -> Status:
        """How children are confined; raises SandboxUnavailable before the first start."""
        if self._status is None:
            raise SandboxUnavailable("the sandbox has not been started")
        return self._status

    async def nursery(self) -> Nursery:
        """The fork server, started where there is none."""
        async with self._starting:
            if self._nursery is not None and self._nursery.lost:
                lost, self._nursery = self._nursery, None
                while self._idle:
                    self._see_off(self._idle.pop())
                await lost.close()
            if self._nursery is None:
                fresh = self._found()
                self._status = await fresh.start()
                self._nursery = fresh
            return self._nursery

    async def take(self, owner: str, *, fresh: bool) -> Member:
        """A child that has worked for nobody but this owner (`fresh`: for nobody at all)."""
        nursery = await self.nursery()
        member = None if fresh else self._idle_of(owner)
        if member is None:
            if self._idle and len(self._idle) + self._taken >= self._size:
                self._see_off(self._idle.pop(0))
            member = await born(nursery)
        member.owner = owner
        self._taken += 1
        return member

    def give_back(self, member: Member) -> None:
        """A child that did its job well; kept unless it is worn."""
        self._taken -= 1
        if member.dead or member.jobs >= self._wear.jobs or member.peak_rss_kib >= self._wear.peak_rss_kib:
            self._see_off(member)
        else:
            self._idle.append(member)

    def dismiss(self, member: Member) -> None:
        """A child that is not to be trusted any more, or is dead."""
        self._taken -= 1
        self._see_off(member)

    async def close(self) -> None:
        """End all that are idle, and the fork server."""
        while self._idle:
            self._see_off(self._idle.pop())
        await asyncio.gather(*self._leaving)
        if self._nursery is not None:
            await self._nursery.close()
            self._nursery = None

    def _idle_of(self, owner: str) -> Member | None:
        """The child of this owner that worked last: its memory is the warmest."""
        for member in reversed(self._idle):
            if member.owner == owner and not member.dead:
                self._idle.remove(member)
                return member
        return None

    def _see_off(self, member: Member) -> None:
        member.kill()
        task = asyncio.get_running_loop().create_task(member.bury())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

"""The sandbox: photographs rendered by children that nobody has to trust."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self, assert_never

from processors.imaging.contract import Encoder, Limits, Preset, RefusalCode, Refused
from processors.room import Room
from processors.sandbox import rendered
from processors.sandbox.confinement import Ceiling
from processors.sandbox.member import Allowance, Ended, Member
from processors.sandbox.nursery import Nursery
from processors.sandbox.outcomes import (
    Broken,
    Exhausted,
    Interrupted,
    SandboxUnavailable,
    Status,
    exhausted_by,
)
from processors.sandbox.pool import Pool, Wear
from processors.sandbox.rendered import Rendered
from processors.sandbox.wire import Declined, Failed, Made, NoMemory, Reply, Request

# Verdicts that a child which has worked before may owe to its own full memory: a fresh one has the last word.
_DOUBTFUL: frozenset[RefusalCode] = frozenset({"corrupt", "truncated"})
# Not worth starting a second try with less.
_LEAST_SECONDS = 1.0


@dataclass(slots=True, eq=False, kw_only=True)
class _Render:
    """One call of `render` under way, and who works on it."""

    request: Request
    data: bytes | memoryview
    owner: str
    over: asyncio.Event = field(default_factory=asyncio.Event)
    interrupted: bool = False
    member: Member | None = None


class Sandbox:
    """A fork server and up to `children` of its children, from `start` to `close`, for one event loop.

    A child works for one owner and is replaced when the owner changes, after anything but success, and when
    it is worn. Each job may take `wall_seconds` in a first child and `both_seconds` with a second, and in
    each about `cpu_seconds` of processor time. With `yields` the children get what others leave of it.
    """

    def __init__(
        self,
        *,
        children: int,
        limits: Limits,
        wall_seconds: float = 15.0,
        both_seconds: float = 25.0,
        cpu_seconds: int = 15,
        seccomp: Literal["required", "preferred", "off"] = "preferred",
        ceiling: Ceiling = Ceiling(),  # noqa: B008 - frozen
        wear: Wear = Wear(),  # noqa: B008 - frozen
        job: str = "processors.sandbox.job:Variants",
        yields: bool = False,
    ) -> None:
        self._limits = limits
        self._wall_seconds = wall_seconds
        self._both_seconds = both_seconds
        self._cpu_seconds = cpu_seconds
        self._required = seccomp == "required"
        self._slots = Room(jobs=children)
        self._renders: set[_Render] = set()
        self._encoder: Encoder | None = None

        def found() -> Nursery:
            return Nursery(job=job, seccomp=seccomp, ceiling=ceiling, yields=yields)

        self._pool = Pool(size=children, wear=wear, found=found)

    @property
    def status(self) -> Status:
        """How children are confined; raises SandboxUnavailable before `start`."""
        return self._pool.status

    @property
    def encoder(self) -> Encoder:
        """The versions behind every variant that is made here; raises SandboxUnavailable before `start`."""
        if self._encoder is None:
            raise SandboxUnavailable("the sandbox has not been started")
        return self._encoder

    async def start(self) -> None:
        """Start the fork server; raises SandboxUnavailable when it can't be, or not confined as required."""
        nursery = await self._pool.nursery()
        if self._required and self.status.mode != "seccomp":
            await self._pool.close()
            raise SandboxUnavailable(self.status.reason or "seccomp is required")
        self._encoder = Encoder(**nursery.about)

    async def close(self) -> None:
        """End everything; renders under way raise Interrupted."""
        await self.cut()
        await self._pool.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def cut(self) -> None:
        """Kill the jobs in hand; their renders, and those that wait for a child, raise Interrupted."""
        renders = list(self._renders)
        for render in renders:
            render.interrupted = True
            if render.member is not None:
                render.member.kill()
        for render in renders:
            await render.over.wait()

    async def render(
        self,
        data: bytes | memoryview,
        *,
        owner: str,
        presets: Sequence[Preset],
        expected_sha256: str | None = None,
    ) -> Rendered:
        """Variants of one picture; the caller closes what it gets.

        Raises Refused (the picture's fault), Exhausted (twice out of time or memory, or dead), Interrupted
        (cut), Broken (a bug) and SandboxUnavailable. Waits while all children are busy, owners in turns; a
        render that is cancelled kills its child.
        """
        if not data:
            raise Refused("empty")
        if len(data) > self._limits.max_bytes:
            raise Refused("too_large")
        wanted = Request(
            size=len(data), presets=tuple(presets), limits=self._limits, expected_sha256=expected_sha256
        )
        render = _Render(request=wanted, data=data, owner=owner)
        self._renders.add(render)
        try:
            await self._slots.enter(len(data), owner=owner)
            try:
                return await self._attempts(render)
            finally:
                self._slots.leave(len(data))
        finally:
            self._renders.discard(render)
            render.over.set()

    async def _attempts(self, render: _Render) -> Rendered:
        """Once, and once more in a fresh child when the first did not end as a job should."""
        started = time.monotonic()
        first = await self._attempt(render, attempt=1, seconds=self._wall_seconds)
        if isinstance(first, Rendered):
            return first
        left = self._both_seconds - (time.monotonic() - started)
        if left < _LEAST_SECONDS:
            raise first
        second = await self._attempt(render, attempt=2, seconds=min(self._wall_seconds, left))
        if isinstance(second, Rendered):
            return second
        raise second

    async def _attempt(
        self, render: _Render, *, attempt: Literal[1, 2], seconds: float
    ) -> Rendered | Exhausted:
        """One child's try; an outcome given, not raised, is one where another child may do better."""
        member = await self._pool.take(render.owner, fresh=attempt == 2)
        render.member = member
        out = rendered.new_output()
        well = False
        try:
            used = member.jobs > 0
            if render.interrupted:
                raise Interrupted
            allowance = Allowance(wall=seconds, cpu=self._cpu_seconds)
            reply = await member.work(render.request, render.data, out, allowance)
            if render.interrupted:
                raise Interrupted
            well = isinstance(reply, Made)
            return self._outcome(reply, used=used, attempt=attempt, out=out)
        finally:
            render.member = None
            os.close(out)
            self._pool.give_back(member) if well else self._pool.dismiss(member)

    def _outcome(self, reply: Reply | Ended, *, used: bool, attempt: int, out: int) -> Rendered | Exhausted:
        match reply:
            case Made():
                return Rendered(reply, encoder=self.encoder, attempts=attempt, output=out)
            case Declined(code=code):
                if used and code in _DOUBTFUL:
                    return Exhausted("out_of_memory")
                raise Refused(code)
            case NoMemory():
                return Exhausted("out_of_memory")
            case Failed(where=where):
                raise Broken(where)
            case Ended(death=death, timed_out=timed_out):
                return exhausted_by(death, timed_out=timed_out)
            case _:
                assert_never(reply)

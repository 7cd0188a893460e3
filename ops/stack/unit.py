"""One program's life under the supervisor: start, serve, end, start again."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from ops.stack.failures import ProgramFailed
from ops.stack.launch import end_group, launch
from ops.stack.logs import bound, last_lines
from ops.stack.programs import Kind, Program
from ops.stack.record import Entry, born


class State(StrEnum):
    """Where a program stands."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNWELL = "unwell"
    RESTARTING = "restarting"
    HELD = "held"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The supervisor's times, in seconds; tests take shorter ones."""

    first_delay: float = 0.5
    longest_delay: float = 30.0
    steady: float = 60.0
    """Having served this long, a program's earlier ends are forgotten."""
    poll: float = 0.2
    health: float = 5.0
    misses: int = 3
    """Unanswered questions in a row that make a program unwell."""
    standstill: float = 15.0
    """For so long a program may say that it is stuck, or nothing at all, until it is ended."""
    attempts: int = 3
    """Starts in a row that may fail before a program has ever served."""


Say = Callable[[str, str], None]
"""Takes a program's name and what happened to it."""


class Unit:
    """Keeps one program alive from `live()` until `stop()`."""

    def __init__(
        self, program: Program, *, mark: str, say: Say, changed: Callable[[], None], pace: Pace
    ) -> None:
        self.program = program
        self.state = State.WAITING
        self.restarts = 0
        self.since: float | None = None
        self.served = asyncio.Event()
        """Set once it has served for the first time, or, a step, has ended well."""
        self._mark, self._say, self._changed, self._pace = mark, say, changed, pace
        self._process: asyncio.subprocess.Process | None = None
        self._born: float | None = None
        self._began = 0.0
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._stopping = asyncio.Event()

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The running process, None when none runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    def entry(self) -> Entry:
        """How it stands, for the record."""
        program = self.program
        return Entry(
            name=program.name,
            kind=program.kind,
            state=self.state,
            pid=self.pid,
            born=self._born if self.pid else None,
            port=program.port,
            restarts=self.restarts,
            since=self.since,
            log=str(program.log),
        )

    async def live(self) -> None:
        """Run it until `stop`. Raises ProgramFailed when it never serves, or a step fails."""
        self._began = time.monotonic()
        if self.program.prepare is not None:
            await asyncio.to_thread(self.program.prepare)
        failed = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            how = await self._once()
            failed = 0 if time.monotonic() - began > self._pace.steady else failed + 1
            if self._stopping.is_set():
                break
            if not self._wanted.is_set():
                self._enter(State.HELD)
                await self._first_of(self._wanted, self._stopping)
                self._began, failed = time.monotonic(), 0
            elif self.program.kind is Kind.STEP:
                self._conclude(how)
                return
            else:
                await self._back_off(failed, how)
        self._enter(State.STOPPED)

    async def stop(self, within: float) -> None:
        """End it: asked first, killed with its whole group after `within` seconds."""
        self._stopping.set()
        await self._end(within)

    async def hold(self, within: float = 10.0) -> None:
        """End it and keep it down until `release`."""
        self._wanted.clear()
        await self._end(within)

    def release(self) -> None:
        """Let a held program start again."""
        self._wanted.set()

    def kill(self) -> None:
        """SIGKILL it and its group, as a crash would; it is started again."""
        if self.pid is not None:
            end_group(self.pid)

    async def _once(self) -> str:
        """One run, from start to end; returns how it ended."""
        self._enter(State.STARTING)
        bound(self.program.log)
        try:
            process = await launch(self.program, self._mark)
        except OSError as error:
            return f"could not be started: {error}"
        self._process, self._born = process, born(process.pid)
        self._changed()
        if self._stopping.is_set() or not self._wanted.is_set():  # asked for while it was being started
            process.send_signal(self.program.stop_signal)
        ended = asyncio.ensure_future(process.wait())
        try:
            await self._watch(ended)
        finally:
            end_group(process.pid)
            await ended
        return _how(await ended)

    async def _watch(self, ended: asyncio.Future[int]) -> None:
        """Ask for its health until it has ended; kill it when it is no use to wait on, or stands still."""
        deadline = time.monotonic() + self.program.ready_within
        missed, lived = 0, time.monotonic()
        while not ended.done():
            if await self._healthy():
                missed = 0
                await self._served_now(ended)
            elif self.state is State.STARTING:
                if time.monotonic() > deadline:
                    if not await self._waits():
                        self._say(self.name, f"does not serve after {self.program.ready_within:.0f} s; ended")
                        return
                    self._say(
                        self.name, f"has not served for {self.program.ready_within:g} s, but lives: it waits"
                    )
                    deadline += self.program.ready_within
            else:
                missed += 1
                if missed == self._pace.misses:
                    self._say(self.name, "runs but does not answer")
                    self._enter(State.UNWELL)
            if self.state is State.STARTING or await self._alive():
                lived = time.monotonic()
            elif time.monotonic() - lived > self._pace.standstill:
                self._say(self.name, f"has stood still for {self._pace.standstill:g} s; ended")
                return
            pause = self._pace.poll if self.state is State.STARTING else self._pace.health
            await asyncio.wait((ended,), timeout=pause)

    async def _alive(self) -> bool:
        """Whether it may go on: it lives, or is on its way out, or nobody knows how to ask."""
        leaving = self._stopping.is_set() or not self._wanted.is_set()
        return leaving or self.program.alive is None or await self.program.alive()

    async def _waits(self) -> bool:
        """Whether it says that it lives, though it does not serve: for others, and a new start is no help."""
        return self.program.alive is not None and await self.program.alive()

    async def _healthy(self) -> bool:
        if self.program.kind is Kind.STEP:
            return False
        bound(self.program.log)
        return self.program.probe is None or await self.program.probe()

    async def _served_now(self, ended: asyncio.Future[int]) -> None:
        if self.state is State.READY or ended.done():
            return
        if self.program.on_ready is not None and not self.served.is_set():
            await asyncio.to_thread(self.program.on_ready)
        if self.state is State.STARTING:
            self.since = time.time()
        self._announce("ready again" if self.served.is_set() else "ready")
        self._enter(State.READY)
        self.served.set()

    def _conclude(self, how: str) -> None:
        """A step has ended."""
        if self._process is None or self._process.returncode != 0:
            raise self._failure(how)
        self._announce("done")
        self._enter(State.DONE)
        self.served.set()

    def _announce(self, word: str) -> None:
        if self.state is State.UNWELL:
            self._say(self.name, "answers again")
        else:
            place = f" on port {self.program.port}" if self.program.port else ""
            self._say(self.name, f"{word} in {time.monotonic() - self._began:.1f} s{place}")

    async def _back_off(self, failed: int, how: str) -> None:
        if not self.served.is_set() and failed >= self._pace.attempts:
            raise self._failure(how)
        self._began = time.monotonic()
        delay = min(self._pace.first_delay * 2 ** max(0, failed - 1), self._pace.longest_delay)
        self.restarts += 1
        self._say(self.name, f"{how}; starting again in {delay:g} s")
        self._enter(State.RESTARTING)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._stopping.wait()

    def _failure(self, how: str) -> ProgramFailed:
        self._enter(State.FAILED)
        lines = "\n".join(f"  {line}" for line in last_lines(self.program.log, 15))
        return ProgramFailed(f"{self.name} {how} while starting. The end of {self.program.log}:\n{lines}")

    async def _end(self, within: float) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(self.program.stop_signal)
        try:
            async with asyncio.timeout(within):
                await process.wait()
        except TimeoutError:
            self._say(self.name, f"did not end within {within:.1f} s; killed")
            end_group(process.pid)
            await process.wait()

    async def _first_of(self, *events: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _enter(self, state: State) -> None:
        self.state = state
        self._changed()


def _how(code: int) -> str:
    """An exit status in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

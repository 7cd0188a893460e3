"""Starts programs in the order of their needs, keeps them alive, and ends them in reverse."""

import asyncio
import time
from collections.abc import Callable, Sequence

from ops.stack.programs import Kind, Program
from ops.stack.unit import Pace, Say, State, Unit

SHARE_OF_PROCESSES = 0.76
"""Of the time to stop: our processes finish work in hand (a worker takes up to 10 s), servers just end."""


class Supervisor:
    """The life of one set of programs; use it from one event loop."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        mark: str,
        say: Say,
        changed: Callable[[Sequence[Unit]], None],
        pace: Pace | None = None,
    ) -> None:
        self.units = tuple(
            Unit(program, mark=mark, say=say, changed=lambda: changed(self.units), pace=pace or Pace())
            for program in programs
        )
        self._say = say
        self._by_name = {unit.name: unit for unit in self.units}
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._settled = asyncio.Event()

    def unit(self, name: str) -> Unit:
        """One program's unit. Raises KeyError."""
        return self._by_name[name]

    async def start(self) -> None:
        """Return when everything serves that is not late; what is waits for `serve`.

        Raises what the first failing program raised; then call `stop`.
        """
        self._lives = {unit.name: asyncio.create_task(self._run(unit), name=unit.name) for unit in self.units}
        prompt = [unit for unit in self.units if not unit.program.late]
        waiting = {asyncio.create_task(unit.served.wait()) for unit in prompt}
        lives = {self._lives[unit.name] for unit in prompt}
        try:
            while waiting:
                done, _ = await asyncio.wait(waiting | lives, return_when=asyncio.FIRST_COMPLETED)
                for task in done & lives:
                    task.result()
                waiting, lives = waiting - done, lives - done
        finally:
            for task in waiting:
                task.cancel()

    async def serve(self, until: asyncio.Event) -> None:
        """Start what is late, and keep all alive until the event is set.

        Raises when the supervision of a program itself fails, or one that is late never serves.
        """
        self._settled.set()
        ending = asyncio.create_task(until.wait())
        try:
            lives = {life for life in self._lives.values() if not life.done()}
            done, _ = await asyncio.wait({ending, *lives}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            ending.cancel()

    async def stop(self, within: float = 14.5) -> None:
        """End everything in `within` seconds, our processes before the servers; kill what remains."""
        deadline = time.monotonic() + within
        for unit in self.units:
            if unit.state is State.WAITING and unit.name in self._lives:
                self._lives[unit.name].cancel()
        processes = [unit for unit in self.units if unit.program.kind is not Kind.SERVER]
        await asyncio.gather(*(unit.stop(within * SHARE_OF_PROCESSES) for unit in processes))
        servers = [unit for unit in self.units if unit.program.kind is Kind.SERVER]
        left = max(0.5, deadline - time.monotonic())
        await asyncio.gather(*(unit.stop(left) for unit in servers))
        for life in self._lives.values():
            life.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)

    async def _run(self, unit: Unit) -> None:
        for name in unit.program.needs:
            await self._by_name[name].served.wait()
        if unit.program.late:
            await self._settled.wait()
        await unit.live()

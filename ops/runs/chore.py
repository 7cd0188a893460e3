"""Driving runs is a chore of the housekeeping: one process does it at a time."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from psycopg import AsyncConnection

from adapters.read_store import conninfo
from ops.housekeeping.chore import Chore, Done, Tools
from ops.housekeeping.opening import COMPONENT
from ops.runs.driver import Driver
from ops.runs.rows import PostgresRows
from projections.checkpoints import positions
from projections.runs.queries import RunRow, open_runs
from projections.topic import ends

_EVERY: Final = timedelta(seconds=1)


class _Runs:
    """The chore's turns; nothing is asked for before the read models know what was asked for earlier."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._driver = Driver(tools.log, tools.clock, outstanding=tools.settings.runs.outstanding)
        self._awaited: dict[int, int] | None = None

    async def turn(self) -> Done:
        """Drives what is open; raises what a chore may raise."""
        runs = await asyncio.to_thread(self._open)
        if not runs:
            self._awaited = None
            return {}
        settings = self._tools.settings
        if self._awaited is None:
            self._awaited = await asyncio.to_thread(ends, settings.kafka, settings.kafka.topics.assets)
        where = conninfo(settings, COMPONENT)
        async with await AsyncConnection.connect(where, autocommit=True) as conn:
            reached = await positions(conn, settings.kafka.topics.assets)
            if any(reached.get(partition, 0) < end for partition, end in self._awaited.items()):
                return {}
            return await self._driver.turn(PostgresRows(conn, settings.kafka.topics, runs))

    def _open(self) -> Sequence[RunRow]:
        with self._tools.connect() as conn:
            return open_runs(conn)


def chore(tools: Tools) -> Chore:
    """Asks for the next jobs of every open run, and ends those that are over."""
    return Chore(name="runs", every=_EVERY, turn=_Runs(tools).turn)

"""The chore that forgets what the doors' soft state says no more, in every table of `api` that grows."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Final

from ops.housekeeping.chore import Chore, Done, Tools
from projections.statements import statements

SQL: Final = str(Path(__file__).with_name("forgetting.sql"))
"""A statement for each table that is pruned, by the table's name."""

_EVERY: Final = timedelta(minutes=10)
# Whoever repeats a request whose answer was lost does so within minutes; a client that lay idle over a
# weekend still finds its key.
KEYS_KEPT: Final = timedelta(days=3)
# Longer than the read models lag in anything but a disaster.
HEARD_WITHIN: Final = timedelta(days=1)
# One statement, so that nobody waits long for a row.
_AT_ONCE: Final = 5_000


def chore(tools: Tools) -> Chore:
    """Looks every ten minutes."""

    async def turn() -> Done:
        return await asyncio.to_thread(forgotten, tools)

    return Chore(name="soft_state", every=_EVERY, turn=turn)


def forgotten(tools: Tools, *, at_once: int = _AT_ONCE) -> Done:
    """Deletes what is over, in bites of so many rows; how many rows of each table. Raises psycopg.Error."""
    now = tools.clock.now()
    given = {
        "now": now,
        "keys_before": now - KEYS_KEPT,
        "noted_before": now - HEARD_WITHIN,
        "limit": at_once,
    }
    done: dict[str, int] = {}
    with tools.connect() as conn:
        for table, statement in statements(SQL).items():
            count = bite = conn.execute(statement, given).rowcount
            while bite == at_once:
                bite = conn.execute(statement, given).rowcount
                count += bite
            done[table] = count
    return done

"""The chore that retires sets of variants: kept for PRESETS_GRACE after another took their place, then gone.

Their objects go only when the log said yes (decision 17): a set that a job is about to serve again is not
retired, and what is retired is never served again, as a set that is made anew lies in another folder.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from psycopg import AsyncConnection

from adapters.clock import new_id
from adapters.read_store import conninfo
from ops.housekeeping.chore import SOURCE, Chore, Done, Tools
from ops.housekeeping.opening import COMPONENT
from processors.variants.keys import variants_prefix
from projections.activity.queries import by_event_id
from projections.assets.originals import KeptSet, OriginalRow, originals_superseded
from projections.checkpoints import positions
from projections.preset_sets.queries import preset_sets
from projections.statements import statements
from schemas.envelope import Metadata
from schemas.events import VariantsRetired

SQL: Final = str(Path(__file__).with_name("retired.sql"))
"""The statements, for projections.statements."""

_EVERY: Final = timedelta(minutes=1)
_AT_ONCE: Final = 500
_MANIFEST: Final = "/manifest.json"

Conn = AsyncConnection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A set of which the log was asked; the place of the question is known once it was acknowledged."""

    manifest_key: str
    asset_id: UUID
    event_id: UUID
    partition: int | None
    offset: int | None


class Retiring:
    """One turn after another; what was begun before a kill is found in `api.retired_sets`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._after: UUID | None = None

    async def turn(self) -> Done:
        """Does what earlier questions were answered with, then asks for more."""
        async with self._connected() as conn:
            removed = [await self._answered(conn, asked) for asked in await _asked(conn)]
            return {"removed": sum(removed), "retired": await self._ask(conn)}

    async def _answered(self, conn: Conn, asked: Asked) -> int:
        """Removes the objects of a set that is retired; returns how many there were."""
        row = await by_event_id(conn, asked.event_id)
        if row is None:
            if asked.partition is None or asked.offset is None:
                return 0  # nobody knows whether it was said: it is said again, as long as the set is kept
            reached = await positions(conn, self._tools.settings.kafka.topics.assets)
            if reached.get(asked.partition, 0) <= asked.offset:
                return 0
        count = await self._remove(asked) if row is not None and row.accepted else 0
        await conn.execute(statements(SQL)["done"], {"event_id": asked.event_id})
        return count

    async def _remove(self, asked: Asked) -> int:
        folder = asked.manifest_key.removesuffix(_MANIFEST) + "/"
        if not folder.startswith(variants_prefix(asked.asset_id)) or folder == variants_prefix(
            asked.asset_id
        ):
            return 0
        keys = [info.key async for info in self._tools.store.list(folder)]
        # The manifest first: where it stands, all of its set does.
        first = [key for key in keys if key == asked.manifest_key]
        if first:
            await self._tools.store.delete(first)
        if others := [key for key in keys if key != asked.manifest_key]:
            await self._tools.store.delete(others)
        return len(keys)

    async def _ask(self, conn: Conn) -> int:
        """Asks the log about sets whose time is over, a page of assets at a turn."""
        active = next((one.preset_set for one in await preset_sets(conn) if one.active), None)
        rows = await originals_superseded(conn, after=self._after, limit=_AT_ONCE)
        self._after = rows[-1].asset_id if len(rows) == _AT_ONCE else None
        before = self._tools.clock.now() - self._tools.settings.runs.presets_grace
        known = {asked.manifest_key: asked for asked in await _asked(conn)}
        due = [(row, kept) for row in rows for kept in over(row, active=active, before=before)]
        count = 0
        for row, kept in due:
            if (asked := known.get(kept.manifest_key)) is None or asked.offset is None:
                await self._say(conn, row, kept, known)
                count += 1
        return count

    async def _say(self, conn: Conn, row: OriginalRow, kept: KeptSet, known: Mapping[str, Asked]) -> None:
        asked = known.get(kept.manifest_key)
        event_id = new_id() if asked is None else asked.event_id
        written = {"key": kept.manifest_key, "asset_id": row.asset_id, "event_id": event_id}
        await conn.execute(statements(SQL)["ask"], written)
        event = VariantsRetired(
            event_id=event_id,
            occurred_at=self._tools.clock.now(),
            asset_id=row.asset_id,
            owner_id=row.owner_id,
            job_id=kept.job_id,
            preset_set=kept.preset_set,
            manifest_key=kept.manifest_key,
        )
        correlation = uuid5(kept.job_id, "retired")
        position = await self._tools.log.append(event, Metadata(correlation_id=correlation, source=SOURCE))
        place = {"event_id": event_id, "partition": position.partition, "offset": position.offset}
        await conn.execute(statements(SQL)["acknowledged"], place)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Conn]:
        where = conninfo(self._tools.settings, COMPONENT)
        async with await AsyncConnection.connect(where, autocommit=True) as conn:
            yield conn


def over(row: OriginalRow, *, active: str | None, before: datetime) -> Iterator[KeptSet]:
    """The sets of an asset whose time is over.

    Those by the active presets stay however old they are: a rollback is on its way to serve them again.
    """
    for kept in row.kept:
        going_back = kept.preset_set == active and row.preset_set != active
        if kept.superseded_at < before and not going_back:
            yield kept


async def _asked(conn: Conn) -> list[Asked]:
    rows = await (await conn.execute(statements(SQL)["asked"])).fetchall()
    return [
        Asked(manifest_key=key, asset_id=asset_id, event_id=event_id, partition=partition, offset=offset)
        for key, asset_id, event_id, partition, offset in rows
    ]


def chore(tools: Tools) -> Chore:
    """Looks once a minute for sets whose time is over."""
    return Chore(name="presets", every=_EVERY, turn=Retiring(tools).turn)

"""Which assets a verification means, and what the read models know of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import psycopg

from projections.lifecycle.projection import STATES
from projections.preset_sets.queries import preset_sets_now
from projections.statements import statements
from schemas.asset_state import AssetState
from schemas.events import Preset

_SQL: Final = str(Path(__file__).with_name("queries.sql"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be verified: all that meets every condition that is given.

    Where assets are named, they are meant whatever their owner, status and format. `content_type` is the
    original's. `preset_set` is how the hash of a set begins; of an asset only such sets count then. At most
    `most` assets.
    """

    asset_ids: tuple[UUID, ...] = ()
    owner_id: UUID | None = None
    status: str | None = None
    content_type: str | None = None
    preset_set: str | None = None
    most: int | None = None


class Library(Protocol):
    """What is known of assets and presets; every call blocks, and none changes anything."""

    def how_many(self, wanted: Wanted) -> int:
        """How many assets `pages` will give, as things stand."""
        ...

    def pages(self, wanted: Wanted) -> Iterator[Sequence[UUID]]:
        """The assets that are wanted, some at a time."""
        ...

    def states(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, AssetState]:
        """What the log says of these assets by now; nothing of those that it never named."""
        ...

    def presets(self, preset_set: str) -> tuple[Preset, ...] | None:
        """The log's definition of a set; None where there is none."""
        ...


class PostgresLibrary:
    """The read models, `page` assets at a time; makes the caller's connection unable to write."""

    def __init__(self, conn: psycopg.Connection[Any], *, page: int = 100) -> None:
        conn.autocommit = True
        conn.execute("set default_transaction_read_only to on")
        self._conn = conn
        self._page = page
        self._defined: dict[str, tuple[Preset, ...]] = {}

    def how_many(self, wanted: Wanted) -> int:
        """As the Protocol says."""
        found = len(set(wanted.asset_ids))
        if not wanted.asset_ids:
            counted = _statement("how_many") + _statement("picked")
            row = self._conn.execute(counted, _parameters(wanted)).fetchone()
            found = 0 if row is None else int(row[0])
        return found if wanted.most is None else min(found, wanted.most)

    def pages(self, wanted: Wanted) -> Iterator[Sequence[UUID]]:
        """As the Protocol says."""
        if wanted.asset_ids:
            named = list(dict.fromkeys(wanted.asset_ids))[: wanted.most]
            yield from (named[start : start + self._page] for start in range(0, len(named), self._page))
            return
        after, left = None, wanted.most
        statement = _statement("wanted") + _statement("picked") + _statement("page")
        while left is None or left > 0:
            limit = self._page if left is None else min(self._page, left)
            parameters = _parameters(wanted) | {"after": after, "limit": limit}
            page = [row[0] for row in self._conn.execute(statement, parameters)]
            if not page:
                return
            yield page
            after, left = page[-1], None if left is None else left - len(page)

    def states(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, AssetState]:
        """As the Protocol says."""
        return STATES.load(self._conn, asset_ids)

    def presets(self, preset_set: str) -> tuple[Preset, ...] | None:
        """As the Protocol says. A definition never changes, so one that was read is not read again."""
        if preset_set not in self._defined:
            self._defined |= {one.preset_set: one.presets for one in preset_sets_now(self._conn)}
        return self._defined.get(preset_set)


def _statement(name: str) -> bytes:
    return statements(_SQL)[name] + b"\n"


def _parameters(wanted: Wanted) -> dict[str, Any]:
    return {
        "owner_id": wanted.owner_id,
        "status": wanted.status,
        "content_type": wanted.content_type,
        "preset_set": wanted.preset_set,
    }

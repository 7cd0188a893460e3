"""Writes a batch to the copies that follow, in the transaction that writes it to the live read models."""

from collections.abc import Hashable
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg import Connection

from projections.checkpoints import Copied, Loop
from projections.folding import Folded
from projections.plan import Plan
from projections.rebuild import copies
from projections.statements import statements
from projections.tables import standing_in

_Id = TypeVar("_Id", bound=Hashable)
_State = TypeVar("_State")
_Event = TypeVar("_Event")

_log = structlog.get_logger(__name__)


def write(
    conn: Connection[Any],
    loop: Loop,
    plan: Plan[_Id, _State, _Event],
    folded: Folded[_Id, _State, _Event],
    copied: Copied,
) -> None:
    """Writes what of the batch lies in copied partitions.

    A copy that does not take its rows is left behind and marked as broken: what is served goes on.
    """
    for name, partitions in copied.items():
        try:
            with conn.transaction(), standing_in(stand_ins(loop, (name,))):
                plan.writers[name](conn, loop.topic, within(folded, partitions))
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            # By its class alone: what a table says of a row that it refuses has the row's words in it.
            _log.error("copy.broken", read_model=name, error=type(error).__name__, code=error.sqlstate)
            copies.leave(conn, loop, name)
            conn.execute(statements("rebuild/copies.sql")["state"], {"name": name, "state": "broken"})


def stand_ins(loop: Loop, names: tuple[str, ...]) -> dict[str, str]:
    """Which schemas to write to in the place of the live ones."""
    models = [copies.model_named(loop, name) for name in names]
    return {model.schema: copies.schema_of(model) for model in models}


def within(folded: Folded[_Id, _State, _Event], partitions: AbstractSet[int]) -> Folded[_Id, _State, _Event]:
    """What of the batch came of records in these partitions."""
    applied = [one for one in folded.applied if one.record.partition in partitions]
    changed = {key: one for key, one in folded.changed.items() if one.partition in partitions}
    return Folded(applied=applied, changed=changed)

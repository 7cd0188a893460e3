"""Records that are not folded: their positions in the database, and a dead letter for each that began it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from adapters.clock import Clock
from adapters.dead_letters import DeadLetters, Reason
from projections.checkpoints import Loop
from projections.folding import BlockedKey, SetAside
from projections.records import Read
from projections.statements import statements

COMPONENT: Final = "projector"
"""How dead letters name who gave a record up."""

_SQL: Final = "set_aside.sql"


def blocked_keys(conn: Connection[Any], loop: Loop, batch: Sequence[Read[Any]]) -> frozenset[BlockedKey]:
    """Those keys of the batch whose records have to wait behind one that is set aside."""
    scope = _scope(loop)
    if conn.execute(statements(_SQL)["any"], scope).fetchone() == (False,):
        return frozenset()
    keys = list({read.record.key for read in batch if read.record.key is not None})
    return frozenset(conn.execute(statements(_SQL)["blocked"], scope | {"keys": keys}).fetchall())


def keep(
    conn: Connection[Any], loop: Loop, set_aside: Sequence[SetAside], letters: DeadLetters, clock: Clock
) -> None:
    """Notes what was set aside in the caller's transaction; its dead letters are acknowledged on return.

    A record that has its letter gets no second one, however often it is read again. (A process that dies
    after the letter and before the commit leaves two: nothing is ever passed over in silence.) Raises
    DeadLetterNotWritten.
    """
    now = clock.now()
    _keep_positions(conn, loop, [aside for aside in set_aside if aside.kind != "not_ours"], now)
    _write_letters(conn, loop, [aside for aside in set_aside if aside.kind != "follows"], letters, now)


def release_all(conn: Connection[Any], loop: Loop) -> None:
    """Forgets what is set aside, as before a replay, which finds it again."""
    conn.execute(statements(_SQL)["release"], _scope(loop))


def count(conn: Connection[Any], loop: Loop) -> int:
    """How many records are set aside."""
    row = conn.execute(statements(_SQL)["count"], _scope(loop)).fetchone()
    return row[0] if row else 0


def _keep_positions(conn: Connection[Any], loop: Loop, asides: Sequence[SetAside], now: datetime) -> None:
    if asides:
        named = {
            "now": now,
            "codes": [aside.code for aside in asides],
            "kinds": [aside.kind for aside in asides],
            "keys": [aside.record.key for aside in asides],
            "blocking": [aside.blocks for aside in asides],
        }
        conn.execute(statements(_SQL)["keep"], _scope(loop) | _places(asides) | named)


def _write_letters(
    conn: Connection[Any], loop: Loop, asides: Sequence[SetAside], letters: DeadLetters, now: datetime
) -> None:
    if not asides:
        return
    scope = {"component": COMPONENT, "topic": loop.topic}
    said = set(conn.execute(statements(_SQL)["said"], scope | _places(asides)).fetchall())
    for aside in asides:
        place = (aside.record.partition, aside.record.offset)
        if place not in said:
            letters.append_sync(aside.record.raw(loop.topic), _reason(aside, now))
            named = {"partition": place[0], "offset": place[1], "code": aside.code}
            conn.execute(statements(_SQL)["say"], scope | named)


def _reason(aside: SetAside, now: datetime) -> Reason:
    return Reason(
        component=COMPONENT,
        code=aside.code,
        error_kind=aside.kind,
        first_failed_at=now,
        stack_hash=aside.fault.stack_hash if aside.fault else None,
    )


def _scope(loop: Loop) -> dict[str, Any]:
    return {"read_model": loop.fold.name, "version": loop.fold.version, "topic": loop.topic}


def _places(asides: Sequence[SetAside]) -> dict[str, list[int]]:
    return {
        "partitions": [aside.record.partition for aside in asides],
        "offsets": [aside.record.offset for aside in asides],
    }

"""Records that are not folded: their positions in the database, and a dead letter for each that began it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from adapters.clock import Clock
from adapters.dead_letters import DeadLetters, Reason
from projections.checkpoints import Loop
from projections.folding import BlockedKey, Place, SetAside
from projections.records import Read, Record
from projections.statements import statements

COMPONENT: Final = "projector"
"""How dead letters name who gave a record up."""

_SQL: Final = "set_aside.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a batch meets: keys whose records have to wait, and records that nobody shall fold."""

    blocked: frozenset[BlockedKey] = frozenset()
    discarded: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """The event at `said_at` says that the record before it is to be left out."""

    partition: int
    offset: int
    said_at: int


def standing(conn: Connection[Any], loop: Loop, batch: Sequence[Read[Any]]) -> Standing:
    """What holds for the records of a batch that the log brings."""
    scope = scope_of(loop)
    blocks, discards = conn.execute(statements(_SQL)["any"], scope).fetchone() or (False, False)
    blocked: frozenset[BlockedKey] = frozenset()
    if blocks:
        found = conn.execute(statements(_SQL)["blocked"], scope | {"keys": _keys(batch)}).fetchall()
        blocked = frozenset(found)
    return Standing(blocked=blocked, discarded=_discarded(conn, loop, batch) if discards else frozenset())


def standing_again(conn: Connection[Any], loop: Loop, batch: Sequence[Read[Any]]) -> Standing:
    """The same for records of one key that are read again: what waits behind them holds none of them back."""
    first = batch[0].record
    place = {"partition": first.partition, "offset": first.offset, "keys": _keys(batch)}
    found = conn.execute(statements(_SQL)["blocked_before"], scope_of(loop) | place).fetchall()
    return Standing(blocked=frozenset(found), discarded=_discarded(conn, loop, batch))


def keep(
    conn: Connection[Any], loop: Loop, set_aside: Sequence[SetAside], letters: DeadLetters, clock: Clock
) -> list[Place]:
    """Notes what was set aside in the caller's transaction; its dead letters are acknowledged on return.

    Gives the places of those that got theirs. A record that has its letter gets no second one, however often
    it is read again. (A process that dies after the letter and before the commit leaves two: nothing is ever
    passed over in silence.) Raises DeadLetterNotWritten.
    """
    now = clock.now()
    _keep_positions(conn, loop, [aside for aside in set_aside if aside.kind != "not_ours"], now)
    return _write_letters(conn, loop, [aside for aside in set_aside if aside.kind != "follows"], letters, now)


def let_go(conn: Connection[Any], loop: Loop, records: Iterable[Record], kept: Sequence[SetAside]) -> None:
    """Takes records of one partition that were read again out of the quarantine, but those `kept` there."""
    held = {aside.record.offset for aside in kept if aside.kind != "not_ours"}
    gone = [record for record in records if record.offset not in held]
    if gone:
        places = {"partition": gone[0].partition, "offsets": [record.offset for record in gone]}
        conn.execute(statements(_SQL)["release_some"], scope_of(loop) | places)


def discard(conn: Connection[Any], loop: Loop, discards: Sequence[Discard], clock: Clock) -> bool:
    """Leaves records out from now on, and has those that waited behind them read again.

    Whether the loop's rows still tell of one that was folded before anybody knew. They, and those of any
    other form that has folded it, are then not what a replay would give, and a mark says so (`any_late`)
    until there was one.
    """
    named = scope_of(loop) | {
        "partitions": [each.partition for each in discards],
        "offsets": [each.offset for each in discards],
        "said_at": [each.said_at for each in discards],
    }
    new = conn.execute(statements(_SQL)["note_discards"], named).fetchall()
    if new:
        partitions, offsets = (list(column) for column in zip(*new, strict=True))
        of_new = scope_of(loop) | {"partitions": partitions, "offsets": offsets}
        conn.execute(statements(_SQL)["lock_forms"], of_new)
        conn.execute(statements(_SQL)["mark_late"], of_new)
    let_go_of(conn, loop, discards, clock)
    return bool(new) and any_late(conn, loop)


def let_go_of(conn: Connection[Any], loop: Loop, discards: Sequence[Discard], clock: Clock) -> None:
    """Takes what is discarded out of the quarantine; what waited behind it is read again."""
    named = scope_of(loop) | {
        "partitions": [each.partition for each in discards],
        "offsets": [each.offset for each in discards],
        "now": clock.now(),
    }
    conn.execute(statements(_SQL)["discard"], named)


def blocked(conn: Connection[Any], loop: Loop, partition: int) -> frozenset[BlockedKey]:
    """All keys of the partition whose records have to wait."""
    named = scope_of(loop) | {"partition": partition}
    return frozenset(conn.execute(statements(_SQL)["blocked_in"], named).fetchall())


def any_late(conn: Connection[Any], loop: Loop) -> bool:
    """Whether a record is discarded that the loop's rows still tell of."""
    row = conn.execute(statements(_SQL)["any_late"], scope_of(loop)).fetchone()
    return bool(row and row[0])


def release_all(conn: Connection[Any], loop: Loop) -> None:
    """Forgets what is set aside: a replay finds it again, and leaves out what is discarded."""
    conn.execute(statements(_SQL)["release"], scope_of(loop))


def count(conn: Connection[Any], loop: Loop) -> int:
    """How many records are set aside."""
    row = conn.execute(statements(_SQL)["count"], scope_of(loop)).fetchone()
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
        conn.execute(statements(_SQL)["keep"], scope_of(loop) | _places(asides) | named)


def _write_letters(
    conn: Connection[Any], loop: Loop, asides: Sequence[SetAside], letters: DeadLetters, now: datetime
) -> list[Place]:
    told: list[Place] = []
    if not asides:
        return told
    scope = {"component": COMPONENT, "topic": loop.topic}
    said = set(conn.execute(statements(_SQL)["said"], scope | _places(asides)).fetchall())
    for aside in asides:
        place = (aside.record.partition, aside.record.offset)
        if place not in said:
            letters.append_sync(aside.record.raw(loop.topic), _reason(aside, now))
            named = {"partition": place[0], "offset": place[1], "code": aside.code}
            conn.execute(statements(_SQL)["say"], scope | named)
            told.append(place)
    return told


def _reason(aside: SetAside, now: datetime) -> Reason:
    return Reason(
        component=COMPONENT,
        code=aside.code,
        error_kind=aside.kind,
        first_failed_at=now,
        stack_hash=aside.fault.stack_hash if aside.fault else None,
    )


def _discarded(conn: Connection[Any], loop: Loop, batch: Sequence[Read[Any]]) -> frozenset[Place]:
    offsets = [read.record.offset for read in batch]
    named = {
        "topic": loop.topic,
        "partitions": list({read.record.partition for read in batch}),
        "first": min(offsets),
        "last": max(offsets),
    }
    return frozenset(conn.execute(statements(_SQL)["discarded"], named).fetchall())


def _keys(batch: Sequence[Read[Any]]) -> list[bytes]:
    return list({read.record.key for read in batch if read.record.key is not None})


def scope_of(loop: Loop) -> dict[str, Any]:
    """The parameters that every statement about a fold's quarantine takes."""
    return {"read_model": loop.fold.name, "version": loop.fold.version, "topic": loop.topic}


def _places(asides: Sequence[SetAside]) -> dict[str, list[int]]:
    return {
        "partitions": [aside.record.partition for aside in asides],
        "offsets": [aside.record.offset for aside in asides],
    }

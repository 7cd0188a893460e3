"""Serves the forms of one release in the place of another's, and drops forms that nobody serves or keeps."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection

from projections import checkpoints, read_models
from projections.checkpoints import Loop
from projections.set_aside import scope_of
from projections.statements import statements

_SQL: Final = "beside/forms.sql"
# So long readers and whoever keeps the served forms may be kept waiting; then it is tried another time.
_LOCK_SECONDS: Final = 5
_CATCH_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.02


class FormsRefused(Exception):
    """What was asked of forms can't be done as they stand; the text is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of a read model: whether it is served, whether it is this release's, the records it has."""

    name: str
    version: int
    schema: str
    served: bool
    ours: bool
    records: int


def forms(conn: Connection[Any], loop: Loop) -> list[Form]:
    """Every form that the loop's read models have, and of those that other releases fold from its log."""
    ours = {(model.name, model.version) for model in loop.models}
    return [
        Form(
            name=name,
            version=version,
            schema=schema,
            served=served,
            ours=(name, version) in ours,
            records=records,
        )
        for name, version, schema, served, records in conn.execute(
            statements(_SQL)["forms"], loop.scope()
        ).fetchall()
    ]


def beside(conn: Connection[Any], loop: Loop) -> list[Form]:
    """Forms of this release that are not served; none where all are, or none has been made yet."""
    return [form for form in forms(conn, loop) if form.ours and not form.served]


def kept(conn: Connection[Any], loop: Loop, version: int) -> bool:
    """Whether a projector keeps the forms of the release whose fold has this version."""
    named = {"what": checkpoints.keeping(loop.topic, version)}
    row = conn.execute(statements("checkpoints.sql")["kept"], named).fetchone()
    return bool(row and row[0])


def missing(conn: Connection[Any], loop: Loop) -> int:
    """How many records the forms of this release are behind those that are served."""
    return sum(_behind(_come_to(conn, loop), checkpoints.served(conn, loop.topic)).values())


def switch(
    conn: Connection[Any],
    loop: Loop,
    *,
    pause: Callable[[float], object] = time.sleep,
    seconds: float = _CATCH_SECONDS,
) -> list[str]:
    """Serves the forms of this release, in one transaction; what was served stands beside them from then on.

    The forms that are served are held where they stand until those beside have reached them, so nothing goes
    backwards. Returns the schemas that are served now and were not. Raises FormsRefused, and
    psycopg.errors.LockNotAvailable where readers make no room in time.
    """
    scope = loop.scope()
    with conn.transaction():
        conn.execute(f"set local lock_timeout = '{_LOCK_SECONDS}s'".encode())
        read_models.lock_tables(conn)
        apart = beside(conn, loop)
        _require_whole(conn, loop, apart)
        goal = reached(conn, loop, pause=pause, seconds=seconds)
        checkpoints.lock_all(conn, loop)
        if _come_to(conn, loop) != goal:
            raise FormsRefused("the forms of this release and those that are served do not stand together")
        _require_settled(conn, loop)
        for step in ("unserve", "serve", "mark"):
            conn.execute(statements(_SQL)[step], scope)
        read_models.make_views(conn)
        checkpoints.notify(conn, "")
    return [form.schema for form in apart]


def reached(
    conn: Connection[Any],
    loop: Loop,
    *,
    pause: Callable[[float], object] = time.sleep,
    seconds: float = _CATCH_SECONDS,
) -> dict[int, int]:
    """Holds the served forms where they stand, to the transaction's end, until those beside have come there.

    Returns where that is: the next offset of each partition. Raises as `switch` does.
    """
    goal = _lowest(conn.execute(statements(_SQL)["served_and_locked"], loop.scope()).fetchall())
    _wait(lambda: _behind(_come_to(conn, loop), goal), pause, seconds)
    return goal


def drop(conn: Connection[Any], loop: Loop) -> list[str]:
    """Drops every form that is not served, with its rows and views; returns their schemas.

    Raises FormsRefused where there is none, or a projector keeps them.
    """
    with conn.transaction():
        conn.execute(f"set local lock_timeout = '{_LOCK_SECONDS}s'".encode())
        read_models.lock_tables(conn)
        gone = [form for form in forms(conn, loop) if not form.served]
        for form in gone:
            if form.name == loop.fold.name and kept(conn, loop, form.version):
                raise FormsRefused(
                    f"a projector still keeps {form.schema} and what belongs to it; stop that one first"
                )
        for form in gone:
            named = {"name": form.name, "version": form.version, "topic": loop.topic}
            for step in ("forget_checkpoints", "forget_aside", "forget_asked", "forget_form"):
                conn.execute(statements(_SQL)[step], named)
        read_models.drop_views_of_others(conn)
        for form in gone:
            read_models.drop_tables(conn, form.schema)
        checkpoints.notify(conn, "")
    return [form.schema for form in gone]


def require_there(conn: Connection[Any], loop: Loop) -> None:
    """Raises FormsRefused where forms of this release were never made."""
    there = {form.name for form in forms(conn, loop) if form.ours}
    if absent := sorted({model.name for model in loop.models} - there):
        raise FormsRefused(
            f"{', '.join(absent)} of this release are not there yet; `python -m ops read-models rebuild "
            f"{loop.fold.name}` makes and fills them"
        )


def _require_whole(conn: Connection[Any], loop: Loop, apart: list[Form]) -> None:
    require_there(conn, loop)
    if not apart:
        raise FormsRefused(f"the read models of {loop.topic} are served in the forms of this release already")


def _require_settled(conn: Connection[Any], loop: Loop) -> None:
    late, asked = conn.execute(statements(_SQL)["unsettled"], scope_of(loop)).fetchone() or (False, 0)
    if late:
        raise FormsRefused(
            f"{loop.fold.schema} has folded a record that was discarded since; its projector folds all anew, "
            f"or `python -m ops read-models rebuild {loop.fold.name}` does"
        )
    if asked:
        raise FormsRefused(
            f"{loop.fold.schema} has {asked:,} keys to read again that were set aside and redriven; the "
            f"projector of this release does (`python -m projections {loop.name}`)"
        )


def _wait(behind: Callable[[], Mapping[int, int]], pause: Callable[[float], object], seconds: float) -> None:
    left = seconds
    while late := behind():
        if left <= 0:
            raise FormsRefused(
                f"the forms of this release are {sum(late.values()):,} records behind what is served; its "
                "projector brings them on"
            )
        pause(_LOOK_SECONDS)
        left -= _LOOK_SECONDS


def _come_to(conn: Connection[Any], loop: Loop) -> dict[int, int]:
    return _lowest(conn.execute(statements(_SQL)["come_to"], loop.scope()).fetchall())


def _lowest(rows: list[tuple[int, int]]) -> dict[int, int]:
    """The lowest next offset of each partition."""
    found: dict[int, int] = {}
    for partition, offset in rows:
        found[partition] = min(offset, found.get(partition, offset))
    return found


def _behind(at: Mapping[int, int], goal: Mapping[int, int]) -> dict[int, int]:
    """Of each partition that is behind the goal by how many records."""
    return {number: end - at.get(number, 0) for number, end in goal.items() if at.get(number, 0) < end}

"""What an operator does with read models: look where they stand, and have them replayed."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from psycopg import Connection

from projections import checkpoints, read_models, set_aside
from projections.beside import switching
from projections.beside.switching import FormsRefused
from projections.checkpoints import Loop
from projections.statements import statements

_SQL: Final = "checkpoints.sql"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a read model as it is installed; queries see the active one."""

    name: str
    version: int
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the read models of a loop stand: positions are next offsets by partition."""

    versions: tuple[Version, ...]
    positions: dict[int, int]
    set_aside: int


def standing(conn: Connection[Any], loop: Loop) -> Standing:
    """How far the loop has come; raises psycopg.Error, UndefinedTable where nothing was ever installed."""
    rows = conn.execute(statements(_SQL)["loop_positions"], loop.scope()).fetchall()
    versions = conn.execute(statements("read_models.sql")["versions"]).fetchall()
    return Standing(
        versions=tuple(
            Version(name=name, version=version, active=active) for name, version, active in versions
        ),
        positions=dict(rows),
        set_aside=set_aside.count(conn, loop),
    )


def renew(conn: Connection[Any], loop: Loop) -> tuple[str, ...]:
    """Installs the loop's read models; where another release left an older form, `reset` follows.

    Rows of an older form can't be gone on with, and the log has all that is in them; a read model that the
    other release did not have at all begins with the log too. While a projector keeps either form nothing is
    dropped: the new one is built beside the one that is served. Where that is done and nobody keeps the older
    one, the new one is served. Returns the names of those that are replayed; raises psycopg.Error.
    """
    read_models.install(conn, loop.models)
    ours = {model.name: model.version for model in loop.models}
    rows = conn.execute(statements("read_models.sql")["versions"]).fetchall()
    active = {name: version for name, version, active in rows if active and name in ours}
    begun = {name for (name,) in conn.execute(statements(_SQL)["begun"], loop.scope()).fetchall()}
    new = ours.keys() - begun if begun else set()
    older = tuple(sorted(new | {name for name, version in active.items() if version != ours[name]}))
    if not older or any(
        switching.kept(conn, loop, form.version)
        for form in switching.forms(conn, loop)
        if form.name == loop.fold.name
    ):
        return ()
    if any(checkpoints.served(conn, loop.topic).values()) and not switching.missing(conn, loop):
        with suppress(FormsRefused):  # rows that tell of a discarded record, or wait to be read again
            switching.switch(conn, loop)
            return ()
    reset(conn, loop)
    return older


def reset(conn: Connection[Any], loop: Loop) -> None:
    """Drops the loop's rows and sends it back to the log's beginning, in one transaction.

    Safe while a projector runs: it finds its checkpoints moved, drops the batch in hand and takes up from 0.
    What already has its dead letter gets no second one. Raises psycopg.Error.
    """
    read_models.install(conn, loop.models)
    with conn.transaction():
        checkpoints.lock_all(conn, loop)
        if loop.beside:
            read_models.empty(conn, loop.models)
        else:
            read_models.recreate(conn, loop.models)
        set_aside.release_all(conn, loop)
        checkpoints.restart(conn, loop)


def make_good(conn: Connection[Any], loop: Loop) -> bool:
    """Resets the loop, served or beside, where its rows tell of a record that is discarded since; whether so.

    A process that died before it could reset leaves the mark that this goes by. Raises psycopg.Error.
    """
    if not set_aside.any_late(conn, loop):
        return False
    _log.warning("record.discarded_late", topic=loop.topic)
    reset(conn, loop)
    return True

"""Finds what a loop is: the one whose forms are served, or one that keeps other forms beside them."""

from dataclasses import replace
from typing import Any, Final

from psycopg import Connection

from projections import read_models
from projections.checkpoints import Loop
from projections.statements import statements

_SQL: Final = "checkpoints.sql"


class FoldIsServed(Exception):
    """A read model has a new form and its loop's fold has none: two releases would share the states."""


def loop_now(conn: Connection[Any], loop: Loop) -> Loop:
    """The release's loop as it stands: itself, or what of it is not served, to be kept beside.

    Makes tables that are missing. Raises FoldIsServed, psycopg.Error.
    """
    read_models.install(conn, loop.models)
    found = conn.execute(statements(_SQL)["served_of"], loop.scope()).fetchall()
    apart = {name for name, served in found if not served}
    if not apart:
        return loop
    if loop.fold.name not in apart:
        raise FoldIsServed(
            f"{', '.join(sorted(apart))} have a form that is not served, while {loop.fold.name} has none of "
            f"its own: it needs its next version with theirs; `python -m ops read-models reset` replays all "
            "in place"
        )
    models = tuple(model for model in loop.models if model.name in apart)
    return replace(loop, models=models, beside=True)

"""Copies of read models: made beside the live ones, written along with them, put in their place, dropped.

A copy is filled apart, partition by partition. In the transaction that ends a partition's filling the live
checkpoint is locked and marked, and from then on every batch is written to both, in one transaction: a copy
that follows stands where the live rows stand, always.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from psycopg import Connection, sql

from projections import checkpoints, read_models
from projections.checkpoints import Loop
from projections.forms import ReadModel
from projections.statements import statements

_SQL: Final = "rebuild/copies.sql"
# So long readers and the projector may be kept waiting by a switch; then it is tried another time.
_LOCK_SECONDS: Final = 5

State = Literal["filling", "following", "former", "broken"]
"""Being filled; filled, and written along; live until a switch; left behind, as it did not take a batch."""


class CopyRefused(Exception):
    """What was asked of a copy can't be done as it stands; the text is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy as it stands; `filled` are the partitions that follow, `records` what went into them."""

    name: str
    version: int
    state: State
    filled: tuple[int, ...]
    records: int


def schema_of(model: ReadModel) -> str:
    """The Postgres schema of the model's copy."""
    return f"{model.schema}_copy"


def model_named(loop: Loop, name: str) -> ReadModel:
    """The loop's read model of that name; raises CopyRefused."""
    for model in loop.models:
        if model.name == name:
            return model
    raise CopyRefused(f"{loop.topic} has no read model {name}")


def every(conn: Connection[Any], loop: Loop) -> dict[str, Copy]:
    """The copies of the loop's read models, by name."""
    found = conn.execute(statements(_SQL)["every"], loop.scope()).fetchall()
    return {
        name: Copy(name=name, version=version, state=_state(state), filled=tuple(filled), records=records)
        for name, version, state, filled, records in found
    }


def begin(conn: Connection[Any], loop: Loop, names: Iterable[str]) -> None:
    """Makes the tables of copies that are not there yet, without the indexes that only queries need.

    Raises CopyRefused where a copy stands that is no rebuild under way.
    """
    with conn.transaction():
        read_models.lock_tables(conn)
        there = every(conn, loop)
        for model in [model_named(loop, name) for name in names]:
            copy = there.get(model.name)
            if copy is None:
                named = {"name": model.name, "version": model.version, "schema": schema_of(model)}
                conn.execute(statements(_SQL)["begin"], named)
                read_models.make_tables(conn, model, schema_of(model))
                _drop_indexes(conn, schema_of(model))
            elif copy.state in {"former", "broken"}:
                raise CopyRefused(
                    f"the copy of {model.name} is {_WORDS[copy.state]}; "
                    f"`python -m ops read-models drop {model.name}` first"
                )


def finish(conn: Connection[Any], loop: Loop, name: str) -> None:
    """Makes the indexes that are still missing and says that the copy follows; no transaction may be open.

    Raises CopyRefused while partitions are missing.
    """
    model = model_named(loop, name)
    _require_followed(conn, loop, model)
    wanted = _indexes(conn, model.schema)
    there = _indexes(conn, schema_of(model))
    for index, (definition, _) in wanted.items():
        _, valid = there.get(index, ("", False))
        if valid:
            continue
        if index in there:  # what a kill left half made
            conn.execute(sql.SQL("drop index {}").format(sql.Identifier(schema_of(model), index)))
        conn.execute(_concurrently(definition, model.schema, schema_of(model)).encode())
    named = {"name": name, "state": "following"}
    conn.execute(statements(_SQL)["state"], named)


def switch(conn: Connection[Any], loop: Loop, names: Iterable[str], *, back: bool = False) -> None:
    """Puts copies in the place of the live read models, in one transaction; what was live becomes the copy.

    With `back` a former live read model takes its place again. Nothing ever goes backwards: both have the
    same batches. Raises CopyRefused, and psycopg.errors.LockNotAvailable where readers make no room in time.
    """
    wanted: State = "former" if back else "following"
    with conn.transaction():
        conn.execute(f"set local lock_timeout = '{_LOCK_SECONDS}s'".encode())
        read_models.lock_tables(conn)
        checkpoints.lock_all(conn, loop)
        there = every(conn, loop)
        for model in [model_named(loop, name) for name in names]:
            copy = there.get(model.name)
            if copy is None or copy.state != wanted:
                stands = "there is none" if copy is None else f"it is {_WORDS[copy.state]}"
                raise CopyRefused(f"no copy of {model.name} can be switched to: {stands}")
            _require_followed(conn, loop, model)
            _exchange(conn, model)
            after: State = "following" if back else "former"
            conn.execute(statements(_SQL)["state"], {"name": model.name, "state": after})
        read_models.make_views(conn)
        checkpoints.notify(conn, "")


def drop(conn: Connection[Any], loop: Loop, name: str) -> None:
    """Ends a copy and its tables. Raises CopyRefused where there is none or its rebuild is at work."""
    model = model_named(loop, name)
    with conn.transaction():
        conn.execute(f"set local lock_timeout = '{_LOCK_SECONDS}s'".encode())
        if name not in every(conn, loop):
            raise CopyRefused(f"there is no copy of {name}")
        if not held(conn, loop, name, for_long=False):
            raise CopyRefused(f"a rebuild of {name} is at work; end it first")
        leave(conn, loop, name)
        read_models.drop_tables(conn, schema_of(model))
        conn.execute(statements(_SQL)["forget"], {"name": name})


def leave(conn: Connection[Any], loop: Loop, name: str) -> None:
    """From here on batches are no longer written to the copy, in the caller's transaction."""
    checkpoints.lock_all(conn, loop)
    conn.execute(statements(_SQL)["leave"], {"name": name, "topic": loop.topic})


def held(conn: Connection[Any], loop: Loop, what: str, *, for_long: bool) -> bool:
    """Whether this session holds the right to work on a copy, or on a partition of one, from here on."""
    statement = statements(_SQL)["hold_for_long" if for_long else "hold"]
    row = conn.execute(statement, {"what": f"rebuild {loop.topic} {what}"}).fetchone()
    return bool(row and row[0])


def follow(
    conn: Connection[Any], loop: Loop, names: Iterable[str], partition: int, records: Mapping[str, int]
) -> None:
    """Marks the live checkpoints, which the caller has locked: the next batch goes to the copies too."""
    for model in [model_named(loop, name) for name in names]:
        named = {
            "name": model.name,
            "version": model.version,
            "topic": loop.topic,
            "partition": partition,
            "records": records[model.name],
        }
        conn.execute(statements(_SQL)["partition_filled"], named)
        conn.execute(statements(_SQL)["follow_partition"], named)


_WORDS: Final[Mapping[State, str]] = {
    "filling": "still being filled",
    "following": "filled and following",
    "former": "what was live before the switch",
    "broken": "broken: a batch could not be written to it",
}


def _state(text: str) -> State:
    for state in get_args(State):
        if state == text:
            found: State = state
            return found
    raise ValueError(text)


def _require_followed(conn: Connection[Any], loop: Loop, model: ReadModel) -> None:
    named = {"name": model.name, "version": model.version, "topic": loop.topic}
    missing = [row[0] for row in conn.execute(statements(_SQL)["uncopied"], named).fetchall()]
    if missing:
        raise CopyRefused(f"the copy of {model.name} does not follow partitions {missing} yet")


def _exchange(conn: Connection[Any], model: ReadModel) -> None:
    """The names change hands; views are made anew by the caller, and statements find their tables by name."""
    live, copy, between = model.schema, schema_of(model), f"{model.schema}_switching"
    for old, new in ((live, between), (copy, live), (between, copy)):
        conn.execute(sql.SQL("alter schema {} rename to {}").format(sql.Identifier(old), sql.Identifier(new)))


def _indexes(conn: Connection[Any], schema: str) -> dict[str, tuple[str, bool]]:
    found = conn.execute(statements(_SQL)["indexes"], {"schema": schema}).fetchall()
    return {name: (definition, valid) for name, definition, valid in found}


def _drop_indexes(conn: Connection[Any], schema: str) -> None:
    """Rows come in faster without them, and they are made of whole tables faster than row by row."""
    for name in _indexes(conn, schema):
        conn.execute(sql.SQL("drop index {}").format(sql.Identifier(schema, name)))


def _concurrently(definition: str, live: str, copy: str) -> str:
    """The statement that makes the live table's index on its copy, while rows are written."""
    statement = definition.replace("CREATE INDEX ", "CREATE INDEX CONCURRENTLY ", 1)
    return statement.replace(f" ON {live}.", f" ON {copy}.", 1)

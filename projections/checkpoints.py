"""Checkpoints: the offset that each read model applies next in each partition, moved by compare-and-set.

They move in the transaction that writes the rows, and nowhere else: a projector that comes late, or whose
partitions went to another while it slept, finds them moved, rolls back and reads them again.
"""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from psycopg import AsyncConnection, Connection

from projections.forms import (
    ACCOUNT_STATES,
    LIFECYCLE,
    OF_ASSETS,
    OF_IDENTITY,
    OF_OPERATIONS,
    OPERATION_STATES,
    ReadModel,
    every_named,
    form_of,
)
from projections.notices import Changes, Notice, write_notice
from projections.statements import statements
from schemas.topics import Topics

CHANNEL: Final = "darkroom_batch"
"""The NOTIFY channel on which each committed batch says how far it came."""

_SQL: Final = "checkpoints.sql"
# Forms beside are good enough to be read once they are so near to those that are served.
_NEAR_RECORDS: Final = 1_000


Copied = Mapping[str, AbstractSet[int]]
"""Read models whose copies follow, by name, each with the partitions in which it does."""

LoopName = Literal["assets", "identity", "operations"]
LOOPS: Final[tuple[LoopName, ...]] = get_args(LoopName)


class Fenced(Exception):
    """The checkpoints are not where this projector left them: another moved them, or a reset did."""


class Diverged(Exception):
    """The read models of one loop stand at different positions."""


class FormsChanged(Exception):
    """Other forms are served than when this loop began: it begins anew as what it is now."""


class TopicReplaced(Exception):
    """The topic is not the one that these checkpoints were counted in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Whose checkpoints: the read models that one loop folds from one topic; `fold` holds the states.

    `form` names the forms of the release that it belongs to. With `beside`, it has those of them that are not
    served, and stays behind those that are.
    """

    name: LoopName
    topic: str
    models: tuple[ReadModel, ...]
    fold: ReadModel
    beside: bool = False
    form: str = ""

    def scope(self, partitions: Sequence[int] = ()) -> dict[str, Any]:
        """The parameters that every statement here takes."""
        return {
            "topic": self.topic,
            "names": [model.name for model in self.models],
            "versions": [model.version for model in self.models],
            "partitions": list(partitions),
            "beside": self.beside,
        }


def live_loop(topics: Topics, name: LoopName = "assets") -> Loop:
    """The loop that keeps the read models of one log up to date."""
    match name:
        case "assets":
            return _loop(name, topics.assets, OF_ASSETS, LIFECYCLE)
        case "identity":
            return _loop(name, topics.identity, OF_IDENTITY, ACCOUNT_STATES)
        case "operations":
            return _loop(name, topics.operations, OF_OPERATIONS, OPERATION_STATES)


def _loop(name: LoopName, topic: str, models: tuple[ReadModel, ...], fold: ReadModel) -> Loop:
    return Loop(name=name, topic=topic, models=models, fold=fold, form=form_of(models))


def open_positions(
    conn: Connection[Any], loop: Loop, partitions: Sequence[int], topic_id: str | None
) -> dict[int, int]:
    """The next offset of each partition, rows made where missing; `topic_id` is adopted where none is noted.

    Raises Diverged, FormsChanged and TopicReplaced.
    """
    scope = loop.scope(partitions) | {"topic_id": topic_id}
    found: dict[int, int] = {}
    with conn.transaction():
        conn.execute(statements(_SQL)["ensure"], scope)
        _require_forms(conn, loop)
        if topic_id is not None:
            conn.execute(statements(_SQL)["adopt"], scope)
        for partition, low, high, *ids, _ in conn.execute(statements(_SQL)["read"], scope).fetchall():
            if low != high:
                raise Diverged(
                    f"the read models of {loop.topic} stand between {low} and {high} in partition "
                    f"{partition}; `python -m ops read-models reset` replays them together"
                )
            if topic_id is not None and set(ids) != {topic_id}:
                raise TopicReplaced(
                    f"{loop.topic} was deleted and made anew: the read models were folded from another log "
                    "of this name; `python -m ops read-models reset` replays them from this one"
                )
            found[partition] = low
    return found


def _require_forms(conn: Connection[Any], loop: Loop) -> None:
    """Raises FormsChanged where the loop's read models are not what it takes them for, served or beside."""
    found = conn.execute(statements(_SQL)["served_of"], loop.scope()).fetchall()
    if other := sorted(name for name, served in found if served == loop.beside):
        stand = "served" if loop.beside else "not served"
        raise FormsChanged(f"{loop.topic}: {', '.join(other)} of this release: {stand} now")
    conn.execute(statements(_SQL)["keep"], {"what": keeping(loop.topic, loop.fold.version)})


def keeping(topic: str, version: int) -> str:
    """The name of the lock that all share who keep the forms of a release, told by its fold's version."""
    return f"keeps {topic} v{version}"


def filling(loop: Loop, partition: int) -> str:
    """The name of the lock that whoever fills a partition of forms beside holds, and batches share."""
    return f"fills {loop.topic} v{loop.fold.version} {partition}"


def being_filled(conn: Connection[Any], loop: Loop, partitions: Sequence[int]) -> set[int]:
    """Those of the partitions that a rebuild fills; nobody begins with another until the transaction ends."""
    if not loop.beside:
        return set()
    named = {"partitions": list(partitions), "whats": [filling(loop, number) for number in partitions]}
    return {number for (number,) in conn.execute(statements(_SQL)["being_filled"], named).fetchall()}


def read_positions(conn: Connection[Any], loop: Loop, partitions: Sequence[int]) -> dict[int, int]:
    """The next offset of each partition that has a checkpoint; raises FormsChanged."""
    rows = conn.execute(statements(_SQL)["read"], loop.scope(partitions)).fetchall()
    if any(row[-1] for row in rows):
        raise FormsChanged(f"{loop.topic}: other forms of its read models are served now")
    return {row[0]: row[1] for row in rows}


def lock(conn: Connection[Any], loop: Loop, expected: Mapping[int, int]) -> Copied:
    """Locks the checkpoints to the transaction's end; raises Fenced unless all stand as expected.

    Fenced too is who would write on as before though other forms are served since, or on rows that have to be
    folded anew, or that a rebuild fills.

    Returns what has to be written to copies too (projections.rebuild): read models, each with its partitions.
    """
    rows = conn.execute(statements(_SQL)["lock"], loop.scope(sorted(expected))).fetchall()
    if any(row[4] != loop.beside for row in rows):
        raise Fenced(f"{loop.topic}: other forms of its read models are served now")
    if any(row[5] for row in rows):
        raise Fenced(f"{loop.topic}: its rows tell of a record that is discarded since")
    if filled := being_filled(conn, loop, list(expected)):
        raise Fenced(f"{loop.topic}: a rebuild fills partitions {sorted(filled)}")
    moved = {partition: offset for partition, offset, *_ in rows if expected[partition] != offset}
    if moved or len(rows) != len(expected) * len(loop.models):
        raise Fenced(f"{loop.topic}: expected {dict(expected)}, found {moved or 'rows missing'}")
    copied: dict[str, set[int]] = {}
    for partition, _, is_copied, name, *_ in rows:
        if is_copied:
            copied.setdefault(name, set()).add(partition)
    return copied


def lock_all(conn: Connection[Any], loop: Loop) -> None:
    """Locks every checkpoint of the loop to the transaction's end."""
    conn.execute(statements(_SQL)["lock_all"], loop.scope())


def advance(
    conn: Connection[Any],
    loop: Loop,
    moved: Mapping[int, int],
    began: Mapping[int, int] = MappingProxyType({}),
    changes: Changes | None = None,
) -> None:
    """Moves locked checkpoints from `began` to `moved` (partition: next offset).

    Once committed, whoever waits is told, and whoever remembers rows, which ones changed.
    """
    notice = Notice(topic=loop.topic, following=moved, began=began, changes=changes, form=loop.form)
    scope = loop.scope(list(moved)) | {
        "next_offsets": list(moved.values()),
        "payload": write_notice(notice),
    }
    conn.execute(statements(_SQL)["advance"], scope)


def say_alive(conn: Connection[Any], loop: Loop, partitions: Sequence[int]) -> None:
    """Tells whoever waits for positions that these partitions are being followed."""
    told = {"topic": loop.topic, "form": loop.form, "alive": list(partitions)}
    notify(conn, json.dumps(told, separators=(",", ":")))


def restart(conn: Connection[Any], loop: Loop) -> None:
    """Sets every checkpoint of the loop back to 0 and forgets the topic's id, in the caller's transaction."""
    conn.execute(statements(_SQL)["restart"], loop.scope())
    notify(conn, "")


def notify(conn: Connection[Any], payload: str) -> None:
    """Wakes whoever waits for a position; an empty payload means: look for yourself."""
    conn.execute(statements(_SQL)["notify"], {"payload": payload})


def served(conn: Connection[Any], topic: str) -> dict[int, int]:
    """For each partition the next offset that every read model that is served has reached."""
    return dict(conn.execute(statements(_SQL)["served"], {"topic": topic}).fetchall())


async def positions(conn: AsyncConnection[Any], topic: str) -> dict[int, int]:
    """For each partition of `topic` the next offset, which every read model of this release has reached."""
    return (await all_positions(conn)).get(topic, {})


async def all_positions(conn: AsyncConnection[Any]) -> dict[str, dict[int, int]]:
    """`positions` of all topics at once."""
    found: dict[str, dict[int, int]] = {}
    for topic, partition, offset in await (
        await conn.execute(statements(_SQL)["own_positions"], every_named())
    ).fetchall():
        found.setdefault(topic, {})[partition] = offset
    return found


async def readable(conn: AsyncConnection[Any]) -> bool:
    """Whether the read models of this release are there, and near to other forms where those are served."""
    asked = every_named() | {"near": _NEAR_RECORDS}
    row = await (await conn.execute(statements(_SQL)["readable"], asked)).fetchone()
    return bool(row and row[0])

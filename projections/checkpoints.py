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

from projections.notices import Changes, Notice, write_notice
from projections.read_models import (
    ACCOUNT_STATES,
    LIFECYCLE,
    OF_ASSETS,
    OF_IDENTITY,
    OF_OPERATIONS,
    OPERATION_STATES,
    ReadModel,
)
from projections.statements import statements
from schemas.topics import Topics

CHANNEL: Final = "darkroom_batch"
"""The NOTIFY channel on which each committed batch says how far it came."""

_SQL: Final = "checkpoints.sql"


Copied = Mapping[str, AbstractSet[int]]
"""Read models whose copies follow, by name, each with the partitions in which it does."""

LoopName = Literal["assets", "identity", "operations"]
LOOPS: Final[tuple[LoopName, ...]] = get_args(LoopName)


class Fenced(Exception):
    """The checkpoints are not where this projector left them: another moved them, or a reset did."""


class Diverged(Exception):
    """The read models of one loop stand at different positions."""


class TopicReplaced(Exception):
    """The topic is not the one that these checkpoints were counted in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Whose checkpoints: the read models that one loop folds from one topic; `fold` holds the states."""

    name: LoopName
    topic: str
    models: tuple[ReadModel, ...]
    fold: ReadModel

    def scope(self, partitions: Sequence[int] = ()) -> dict[str, Any]:
        """The parameters that every statement here takes."""
        return {
            "topic": self.topic,
            "names": [model.name for model in self.models],
            "versions": [model.version for model in self.models],
            "partitions": list(partitions),
        }


def live_loop(topics: Topics, name: LoopName = "assets") -> Loop:
    """The loop that keeps the read models of one log up to date."""
    match name:
        case "assets":
            return Loop(name=name, topic=topics.assets, models=OF_ASSETS, fold=LIFECYCLE)
        case "identity":
            return Loop(name=name, topic=topics.identity, models=OF_IDENTITY, fold=ACCOUNT_STATES)
        case "operations":
            return Loop(name=name, topic=topics.operations, models=OF_OPERATIONS, fold=OPERATION_STATES)


def open_positions(
    conn: Connection[Any], loop: Loop, partitions: Sequence[int], topic_id: str | None
) -> dict[int, int]:
    """The next offset of each partition, rows made where missing; `topic_id` is adopted where none is noted.

    Raises Diverged and TopicReplaced.
    """
    scope = loop.scope(partitions) | {"topic_id": topic_id}
    found: dict[int, int] = {}
    with conn.transaction():
        conn.execute(statements(_SQL)["ensure"], scope)
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


def read_positions(conn: Connection[Any], loop: Loop, partitions: Sequence[int]) -> dict[int, int]:
    """The next offset of each partition that has a checkpoint."""
    rows = conn.execute(statements(_SQL)["read"], loop.scope(partitions)).fetchall()
    return {row[0]: row[1] for row in rows}


def lock(conn: Connection[Any], loop: Loop, expected: Mapping[int, int]) -> Copied:
    """Locks the checkpoints to the transaction's end; raises Fenced unless all stand as expected.

    Returns what has to be written to copies too (projections.rebuild): read models, each with its partitions.
    """
    rows = conn.execute(statements(_SQL)["lock"], loop.scope(sorted(expected))).fetchall()
    moved = {partition: offset for partition, offset, *_ in rows if expected[partition] != offset}
    if moved or len(rows) != len(expected) * len(loop.models):
        raise Fenced(f"{loop.topic}: expected {dict(expected)}, found {moved or 'rows missing'}")
    copied: dict[str, set[int]] = {}
    for partition, _, is_copied, name in rows:
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
    notice = Notice(topic=loop.topic, following=moved, began=began, changes=changes)
    scope = loop.scope(list(moved)) | {
        "next_offsets": list(moved.values()),
        "payload": write_notice(notice),
    }
    conn.execute(statements(_SQL)["advance"], scope)


def say_alive(conn: Connection[Any], loop: Loop, partitions: Sequence[int]) -> None:
    """Tells whoever waits for positions that these partitions are being followed."""
    notify(conn, json.dumps({"topic": loop.topic, "alive": list(partitions)}, separators=(",", ":")))


def restart(conn: Connection[Any], loop: Loop) -> None:
    """Sets every checkpoint of the loop back to 0 and forgets the topic's id, in the caller's transaction."""
    conn.execute(statements(_SQL)["restart"], loop.scope())
    notify(conn, "")


def notify(conn: Connection[Any], payload: str) -> None:
    """Wakes whoever waits for a position; an empty payload means: look for yourself."""
    conn.execute(statements(_SQL)["notify"], {"payload": payload})


async def positions(conn: AsyncConnection[Any], topic: str) -> dict[int, int]:
    """For each partition of `topic` the next offset, that which every active read model has reached."""
    rows = await (await conn.execute(statements(_SQL)["positions"], {"topic": topic})).fetchall()
    return dict(rows)


async def all_positions(conn: AsyncConnection[Any]) -> dict[str, dict[int, int]]:
    """`positions` of all topics at once."""
    found: dict[str, dict[int, int]] = {}
    for topic, partition, offset in await (await conn.execute(statements(_SQL)["all_positions"])).fetchall():
        found.setdefault(topic, {})[partition] = offset
    return found

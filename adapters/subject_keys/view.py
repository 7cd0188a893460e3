"""What a process knows of the key topic, kept in a small local file so that a start reads only what is new.

It holds wrapped keys only: without a master key it is of no use to anybody.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from schemas.events import SubjectKey

_TABLES: Final = Path(__file__).parent / "view.sql"
_FORMAT: Final = "1"
_BUSY_SECONDS: Final = 5.0

_LEARN: Final = """
insert into keys (user_id, key_id, master_key_id, wrapped, erased, behind_marker)
values (:user_id, :key_id, :master_key_id, :wrapped, :erased, 0)
on conflict (user_id, key_id) do update set
    behind_marker = keys.erased and not excluded.erased,
    master_key_id = case when keys.erased or excluded.erased then null else excluded.master_key_id end,
    wrapped = case when keys.erased or excluded.erased then null else excluded.wrapped end,
    erased = keys.erased or excluded.erased
"""
_MOVE: Final = """
insert into positions (partition, next_offset) values (?, ?)
on conflict (partition) do update set next_offset = excluded.next_offset
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key as the topic has it; `wrapped` is None where it is erased."""

    master_key_id: str | None
    wrapped: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A living key with what it is wrapped by."""

    user_id: UUID
    key_id: UUID
    master_key_id: str | None
    wrapped: bytes


class KeyView:
    """The file. Safe to use from any thread. Keys and the position they were learned at are kept together."""

    def __init__(self, path: Path) -> None:
        """Opens the file, or makes it; one that can't be read is made anew."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        try:
            self._db = _opened(path)
        except sqlite3.DatabaseError:
            for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                name.unlink(missing_ok=True)
            self._db = _opened(path)

    def belongs_to(self, topic_id: str) -> bool:
        """Whether what is known comes from the topic of this id; if not, it is forgotten, and begins anew."""
        with self._writing() as db:
            said = dict(db.execute("select name, value from facts").fetchall())
            if said == {"topic_id": topic_id, "format": _FORMAT}:
                return True
            for table in ("facts", "positions", "keys"):
                db.execute(f"delete from {table}")  # noqa: S608 - our own three names
            db.executemany(
                "insert into facts (name, value) values (?, ?)", [("topic_id", topic_id), ("format", _FORMAT)]
            )
            return False

    def forget(self) -> None:
        """Forgets all; the topic is to be read from its beginning."""
        self.belongs_to("")

    def learn(self, events: Iterable[SubjectKey], positions: Mapping[int, int]) -> None:
        """Takes in keys and markers, and the next offset of each partition."""
        rows = [
            {
                "user_id": event.user_id.bytes,
                "key_id": event.key_id.bytes,
                "master_key_id": event.master_key_id,
                "wrapped": event.wrapped,
                "erased": int(event.erased),
            }
            for event in events
        ]
        with self._writing() as db:
            db.executemany(_LEARN, rows)
            db.executemany(_MOVE, positions.items())
        if any(row["erased"] for row in rows):
            self._forget_bytes()

    def positions(self) -> dict[int, int]:
        """The next offset of each partition that was read."""
        with self._lock:
            return dict(self._db.execute("select partition, next_offset from positions").fetchall())

    def key(self, user_id: UUID, key_id: UUID) -> KnownKey | None:
        """A key or its marker; None where neither is known."""
        with self._lock:
            row = self._db.execute(
                "select master_key_id, wrapped from keys where user_id = ? and key_id = ?",
                (user_id.bytes, key_id.bytes),
            ).fetchone()
        return None if row is None else KnownKey(master_key_id=row[0], wrapped=row[1])

    def living(self, user_id: UUID) -> list[UUID]:
        """The ids of a person's keys that are not erased, smallest first."""
        with self._lock:
            rows = self._db.execute(
                "select key_id from keys where user_id = ? and not erased order by key_id", (user_id.bytes,)
            ).fetchall()
        return [UUID(bytes=row[0]) for row in rows]

    def all_of(self, user_id: UUID) -> list[UUID]:
        """The ids of all keys of a person, erased ones included, smallest first."""
        with self._lock:
            rows = self._db.execute(
                "select key_id from keys where user_id = ? order by key_id", (user_id.bytes,)
            ).fetchall()
        return [UUID(bytes=row[0]) for row in rows]

    def wrapped_otherwise(self, master_key_id: str) -> list[StoredKey]:
        """The living keys that are wrapped by another master key than this."""
        with self._lock:
            rows = self._db.execute(
                "select user_id, key_id, master_key_id, wrapped from keys"
                " where not erased and master_key_id is not ? order by user_id, key_id",
                (master_key_id,),
            ).fetchall()
        return [
            StoredKey(
                user_id=UUID(bytes=row[0]), key_id=UUID(bytes=row[1]), master_key_id=row[2], wrapped=row[3]
            )
            for row in rows
        ]

    def masters(self) -> set[str]:
        """The ids of the master keys that living keys are wrapped by."""
        with self._lock:
            rows = self._db.execute("select distinct master_key_id from keys where not erased").fetchall()
        return {row[0] for row in rows if row[0] is not None}

    def count_living(self) -> int:
        """How many keys are known that are not erased."""
        with self._lock:
            return int(self._db.execute("select count(*) from keys where not erased").fetchone()[0])

    def behind_markers(self) -> list[tuple[UUID, UUID]]:
        """Person and id of each erased key whose last record is a key: its marker must be said again."""
        with self._lock:
            rows = self._db.execute("select user_id, key_id from keys where behind_marker").fetchall()
        return [(UUID(bytes=row[0]), UUID(bytes=row[1])) for row in rows]

    def count(self) -> int:
        """How many keys are known, erased ones included."""
        with self._lock:
            return int(self._db.execute("select count(*) from keys").fetchone()[0])

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def _forget_bytes(self) -> None:
        """What was overwritten leaves the write-ahead log, too; if a reader is in the way, next time."""
        with self._lock, suppress(sqlite3.OperationalError):
            self._db.execute("pragma wal_checkpoint(truncate)").fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield self._db
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("rollback")
                raise
            self._db.execute("commit")


def _opened(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    try:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")  # a lost tail is read from the topic again
        db.execute("pragma secure_delete = on")  # what is erased is overwritten, not only unlinked
        db.executescript(_TABLES.read_text())
        if (found := db.execute("pragma quick_check").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
    except sqlite3.Error:
        db.close()
        raise
    return db

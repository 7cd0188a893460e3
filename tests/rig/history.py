"""What a run tried and what it was told: kept in memory for the checker, and as JSON lines for a reader."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from schemas.positions import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Something that a client wanted written.

    `asset_id` and `event_ids` are those that the client chose; where the doors choose, they are told by the
    acknowledgement. `object_keys` are the objects that the client itself put into the store.
    """

    name: str
    asset_id: UUID | None = None
    event_ids: tuple[UUID, ...] = ()
    object_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What a client was told: that the attempt of this name is written, under these ids, at these places."""

    name: str
    asset_id: UUID
    event_ids: tuple[UUID, ...] = ()
    positions: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that was done to the system."""

    what: str


Entry = Attempt | Acknowledged | Fault


class History:
    """One run's history, written as it happens so that a run that hangs has left one. Safe from any thread.

    The file's first line holds the seed; each other line holds its kind, its second of the run, its fields.
    """

    def __init__(self, file: Path, *, seed: int) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file = file
        self.seed = seed
        self.attempts: list[Attempt] = []
        self.acknowledged: list[Acknowledged] = []
        self.faults: list[Fault] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._out = file.open("w", encoding="utf-8", buffering=1)
        self._out.write(json.dumps({"kind": "run", "seed": seed}) + "\n")

    def add(self, entry: Entry) -> None:
        """Takes note of what happened just now."""
        at = round(time.monotonic() - self._began, 3)
        with self._lock:
            self._keep(entry)
            self._out.write(json.dumps({"kind": type(entry).__name__, "at": at} | _plain(entry)) + "\n")

    def fault(self, what: str) -> None:
        """Takes note of something that is about to be done to the system."""
        self.add(Fault(what=what))

    def unanswered(self) -> list[Attempt]:
        """Attempts that nobody acknowledged: they may have been written or not."""
        with self._lock:
            told = {each.name for each in self.acknowledged}
            return [attempt for attempt in self.attempts if attempt.name not in told]

    def close(self) -> None:
        """Writes no more."""
        self._out.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self, entry: Entry) -> None:
        match entry:
            case Attempt():
                self.attempts.append(entry)
            case Acknowledged():
                self.acknowledged.append(entry)
            case Fault():
                self.faults.append(entry)


def read_history(file: Path) -> tuple[int, list[Entry]]:
    """The seed and the entries of a history that was written; raises ValueError on anything else."""
    lines = _lines(file)
    head = next(lines, {})
    if head.get("kind") != "run":
        raise ValueError(f"{file.name} is no history")
    return int(head["seed"]), [_entry(line) for line in lines]


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _plain(entry: Entry) -> dict[str, Any]:
    match entry:
        case Attempt():
            return {
                "name": entry.name,
                "asset_id": entry.asset_id and str(entry.asset_id),
                "event_ids": [str(each) for each in entry.event_ids],
                "object_keys": list(entry.object_keys),
            }
        case Acknowledged():
            return {
                "name": entry.name,
                "asset_id": str(entry.asset_id),
                "event_ids": [str(each) for each in entry.event_ids],
                "positions": [[each.topic, each.partition, each.offset] for each in entry.positions],
            }
        case Fault():
            return {"what": entry.what}


def _entry(line: dict[str, Any]) -> Entry:
    match line["kind"]:
        case "Attempt":
            return Attempt(
                name=line["name"],
                asset_id=UUID(line["asset_id"]) if line["asset_id"] else None,
                event_ids=tuple(map(UUID, line["event_ids"])),
                object_keys=tuple(line["object_keys"]),
            )
        case "Acknowledged":
            return Acknowledged(
                name=line["name"],
                asset_id=UUID(line["asset_id"]),
                event_ids=tuple(map(UUID, line["event_ids"])),
                positions=tuple(
                    Position(topic=topic, partition=partition, offset=offset)
                    for topic, partition, offset in line["positions"]
                ),
            )
        case "Fault":
            return Fault(what=line["what"])
        case kind:
            raise ValueError(f"{kind} is no entry of a history")

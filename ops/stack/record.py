"""The file that says who runs: written by the supervisor, read by `status`, `down` and the next start."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from ops.private_files import write_private
from ops.stack.failures import AlreadyRunning


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One program as it stands; times are seconds since the epoch."""

    name: str
    kind: str
    state: str
    pid: int | None
    born: float | None
    """When that process began, by the kernel: a pid alone may be somebody else's by now."""
    port: int | None
    restarts: int
    since: float | None
    """When it last became ready."""
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One run of the supervisor."""

    mark: str
    pid: int
    born: float
    url: str
    entries: tuple[Entry, ...]


def write_record(path: Path, record: Record) -> None:
    """Replace the file at once."""
    write_private(path, json.dumps(asdict(record), indent=1) + "\n")


def read_record(path: Path) -> Record | None:
    """The last record, or None when there is none that can be read."""
    try:
        content = json.loads(path.read_text())
        entries = tuple(Entry(**entry) for entry in content.pop("entries"))
        return Record(**content, entries=entries)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def born(pid: int) -> float | None:
    """When the process with this pid began; None when there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def lives(pid: int | None, when: float | None) -> bool:
    """Whether that very process still runs (a zombie does not)."""
    if pid is None or when is None:
        return False
    try:
        process = psutil.Process(pid)
        return process.create_time() == when and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold the folder; the kernel lets go of it when we end, however that is. Raises AlreadyRunning."""
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"A stack already runs in {lock.parent}. See it with `python -m ops stack status`, "
                f"end it with `make down`, or use another folder with DARKROOM_HOME=FOLDER."
            ) from error
        yield


def is_held(lock: Path) -> bool:
    """Whether a supervisor holds the folder now."""
    try:
        with lock.open("r") as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False

"""`status`: every server and process with pid, port, memory and health."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import psutil
from rich.table import Table

from ops.stack.folder import Folder
from ops.stack.programs import Kind
from ops.stack.record import Entry, is_held, lives, read_record
from ops.stack.unit import State

HEALTHY, SOME_UNWELL, NOT_RUNNING = 0, 1, 3
"""Exit codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One server or process as it stands now."""

    name: str
    kind: str
    state: str
    pid: int | None
    port: int | None
    memory_mb: float | None
    restarts: int
    up_seconds: float | None
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole stack as it stands now."""

    running: bool
    url: str | None
    supervisor_pid: int | None
    rows: tuple[Row, ...]

    @property
    def exit_code(self) -> int:
        """0 all is well, 1 something is not, 3 nothing runs."""
        if not self.running:
            return NOT_RUNNING
        return HEALTHY if all(row.state == State.READY for row in self.rows) else SOME_UNWELL


def read_status(folder: Folder) -> Status:
    """Look at the record and at the processes themselves."""
    record = read_record(folder.record)
    if record is None or not is_held(folder.lock) or not lives(record.pid, record.born):
        return Status(running=False, url=None, supervisor_pid=None, rows=())
    rows = tuple(_row(entry) for entry in record.entries if entry.kind != Kind.STEP)
    return Status(running=True, url=record.url, supervisor_pid=record.pid, rows=rows)


def as_json(status: Status) -> dict[str, object]:
    """The status for programs."""
    return asdict(status)


def as_table(rows: Sequence[Row]) -> Table:
    """The status for people."""
    table = Table(box=None, pad_edge=False)
    table.add_column("name")
    table.add_column("health")
    for column in ("pid", "port", "memory", "restarts", "up"):
        table.add_column(column, justify="right")
    for row in rows:
        colour = "green" if row.state == State.READY else "red"
        table.add_row(
            row.name,
            f"[{colour}]{row.state}[/]",
            str(row.pid or "–"),
            str(row.port or "–"),
            f"{row.memory_mb:.0f} MB" if row.memory_mb is not None else "–",
            str(row.restarts),
            _duration(row.up_seconds),
        )
    return table


def _row(entry: Entry) -> Row:
    alive = lives(entry.pid, entry.born)
    up = time.time() - entry.since if alive and entry.since else None
    return Row(
        name=entry.name,
        kind=entry.kind,
        state=entry.state if alive or entry.pid is None else State.RESTARTING,
        pid=entry.pid if alive else None,
        port=entry.port,
        memory_mb=_memory(entry.pid) if alive and entry.pid else None,
        restarts=entry.restarts,
        up_seconds=round(up, 1) if up is not None else None,
        log=entry.log,
    )


def _memory(pid: int) -> float | None:
    """Megabytes of a process and its children; pages that several share are counted once."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_full_info().pss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return round(total / 1e6, 1)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"

"""Reads jobs: one, or page by page, and how each attempt at one went."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from projections.statements import statements

_SQL: Final = "jobs/queries.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One piece of work on an asset.

    `error_*` say how its last attempt ended badly, `started_at` when its last attempt began, `cost` what the
    attempt that succeeded took (milliseconds, KiB, bytes).
    """

    job_id: UUID
    asset_id: UUID
    owner_id: UUID
    kind: str
    lane: str
    state: str
    attempts: int
    error_kind: str | None
    error_code: str | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    worker: str | None
    cost: dict[str, int] | None
    run_id: UUID | None = None


_COLUMNS: Final = ", ".join(field.name for field in fields(JobRow)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a page shows; None means any."""

    owner_id: UUID | None = None
    asset_id: UUID | None = None
    state: str | None = None
    kind: str | None = None
    run_id: UUID | None = None


class JobMark(NamedTuple):
    """Where a row stands among the others: when it was asked for, and its id where that is the same."""

    queued_at: datetime
    job_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a job.

    `outcome` is active, completed, failed, interrupted (the job goes on), or lost: its worker ended without
    a word, and `ended_at` is unknown. `error_*` say why it failed, `cost` what it took where it succeeded.
    """

    number: int
    worker: str | None
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str
    error_kind: str | None
    error_code: str | None
    cost: dict[str, int] | None


async def job(conn: AsyncConnection[Any], *, owner_id: UUID | None, job_id: UUID) -> JobRow | None:
    """The job, or None where this owner (None: anybody) has no such one."""
    found = await _rows(conn, _statement("job"), {"owner_id": owner_id, "job_id": job_id})
    return found[0] if found else None


async def jobs_page(
    conn: AsyncConnection[Any], wanted: JobFilter, *, limit: int, after: JobMark | None
) -> list[JobRow]:
    """Up to `limit` jobs, newest first, after the one that is marked."""
    parameters: dict[str, Any] = {
        name: value
        for name in ("owner_id", "asset_id", "state", "kind", "run_id")
        if (value := getattr(wanted, name)) is not None
    }
    pieces = [_statement("page"), *(_statement(f"of_{name}") for name in parameters)]
    if after is not None:
        pieces.append(_statement("after"))
        parameters |= {"queued_at": after.queued_at, "job_id": after.job_id}
    pieces.append(_statement("in_order"))
    return await _rows(conn, b"\n".join(pieces), parameters | {"limit": limit})


Said = tuple[int, str, datetime, str | None, str | None, str | None, Mapping[str, Any]]
"""What the log tells of an attempt: number, type and time of the event, worker, kind, code, small facts."""


async def attempts(conn: AsyncConnection[Any], row: JobRow) -> list[Attempt]:
    """Every attempt at the job that the log tells of, in their order."""
    named = {"asset_id": row.asset_id, "job_id": row.job_id}
    return attempts_of(row, await (await conn.execute(statements(_SQL)["attempts"], named)).fetchall())


def attempts_of(row: JobRow, said: Iterable[Said]) -> list[Attempt]:
    """The attempts at a job out of what workers said of it, in the log's order."""
    found: dict[int, Attempt] = {}
    for number, event, at, worker, kind, code, data in said:
        known = found.get(number)
        if event == "ProcessingStarted":
            found[number] = known or _attempt(number, worker=worker, started_at=at)
        else:
            found[number] = _ended(known or _attempt(number), event, at, (kind, code), data)
    lost = {number for number, one in found.items() if one.outcome == "active"}
    if row.state == "active":
        lost.discard(max(found, default=0))
    return [replace(one, outcome="lost") if number in lost else one for number, one in sorted(found.items())]


async def last_said(conn: AsyncConnection[Any], row: JobRow) -> UUID | None:
    """The event that the log last told of the job; None where nothing of it counted."""
    named = {"asset_id": row.asset_id, "job_id": row.job_id}
    found = await (await conn.execute(statements(_SQL)["last_said"], named)).fetchone()
    return found[0] if found is not None else None


def _attempt(number: int, *, worker: str | None = None, started_at: datetime | None = None) -> Attempt:
    return Attempt(
        number=number,
        worker=worker,
        started_at=started_at,
        ended_at=None,
        outcome="active",
        error_kind=None,
        error_code=None,
        cost=None,
    )


def _ended(
    began: Attempt, event: str, at: datetime, error: tuple[str | None, str | None], data: Mapping[str, Any]
) -> Attempt:
    ready = event == "VariantsReady"
    failed = "interrupted" if error[0] == "interrupted" else "failed"
    return Attempt(
        number=began.number,
        worker=began.worker,
        started_at=began.started_at,
        ended_at=at,
        outcome="completed" if ready else failed,
        error_kind=None if ready else error[0],
        error_code=None if ready else error[1],
        cost={name: data[name] for name in _COST if name in data} if ready else None,
    )


_COST: Final = ("cpu_ms", "wall_ms", "peak_rss_kib", "bytes_read", "bytes_written")


def _statement(name: str) -> bytes:
    return statements(_SQL)[name].replace(b"{columns}", _COLUMNS)


async def _rows(conn: AsyncConnection[Any], statement: bytes, parameters: Mapping[str, Any]) -> list[JobRow]:
    async with conn.cursor(row_factory=class_row(JobRow)) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchall()

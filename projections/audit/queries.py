"""Reads who did what, to which account or asset, over both logs in one order."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from projections.checkpoints import LOOPS, LoopName
from projections.statements import statements
from schemas.scalars import EPOCH

_SQL: Final = "audit/queries.sql"

_LAST_PARTITION: Final = 2**31 - 1
_LAST_OFFSET: Final = 2**63 - 1
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One record of a log that could be read, accepted by the fold or not; nothing personal in it.

    `subject_id` is the account (log identity) or the asset (log assets) that it is about, `owner_id` whose
    that is; both are null for what operations are told (log operations). `actor_id` is null where a worker
    says how a job went, and so is `correlation_id`, the request's id.
    `data` holds small facts by type of event, as the activity of each log gives them, with kind and attempt.
    """

    log: LoopName
    topic: str
    partition: int
    offset: int
    log_time: datetime
    event_id: UUID
    event_type: str
    accepted: bool
    actor_id: UUID | None
    subject_id: UUID | None
    owner_id: UUID | None
    session_id: UUID | None
    key_id: UUID | None
    job_id: UUID | None
    code: str | None
    data: dict[str, Any]
    correlation_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which records an audit shows; None means any, but how jobs went is shown only where `action` names it.

    `subject_id` is a person (their account and their assets) or an asset. Times are aware and of the log's
    clock, `until` excluded.
    """

    actor_id: UUID | None = None
    subject_id: UUID | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditMark(NamedTuple):
    """Where a record stands in the order of the audit; greater is later."""

    log_time: datetime
    log: LoopName
    partition: int
    offset: int


_COLUMNS: Final = tuple(field.name for field in fields(AuditRow))


def mark_of(row: AuditRow) -> AuditMark:
    """Where this row stands."""
    return AuditMark(row.log_time, row.log, row.partition, row.offset)


async def audit_page(
    conn: AsyncConnection[Any], wanted: AuditFilter, *, limit: int, before: AuditMark | None = None
) -> list[AuditRow]:
    """Up to `limit` records, newest first, that stand before the mark."""
    parameters = {
        "actor_id": wanted.actor_id,
        "subject_id": wanted.subject_id,
        "action": wanted.action,
        "since": wanted.since or EPOCH,
        "limit": limit,
    }
    for log in LOOPS:
        parameters |= _bound(log, wanted.until, before)
    async with conn.cursor(row_factory=dict_row) as cursor:
        # Planned anew each time: a plan for any filter would be one for none.
        await cursor.execute(statements(_SQL)["page"], parameters, prepare=False)
        found = await cursor.fetchall()
    return [AuditRow(**{column: row[column] for column in _COLUMNS}) for row in found]


def _bound(log: LoopName, until: datetime | None, before: AuditMark | None) -> Mapping[str, Any]:
    """The place in this log before which rows are wanted, as parameters."""
    moment, partition, offset = min((until or _NEVER, -1, -1), _place(log, before))
    return {f"{log}_time": moment, f"{log}_partition": partition, f"{log}_offset": offset}


def _place(log: LoopName, before: AuditMark | None) -> tuple[datetime, int, int]:
    """Where a mark, of whichever log, falls in this one: ties of time go by the names of the logs."""
    if before is None:
        return _NEVER, _LAST_PARTITION, _LAST_OFFSET
    if before.log == log:
        return before.log_time, before.partition, before.offset
    if log < before.log:
        return before.log_time, _LAST_PARTITION, _LAST_OFFSET
    return before.log_time, -1, -1

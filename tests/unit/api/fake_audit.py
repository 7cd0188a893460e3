"""The audit in memory: sorts and sifts rows of both logs' read models."""

from collections.abc import Iterable
from typing import Any

from projections.account_activity.queries import AccountActivityRow
from projections.activity.queries import ActivityRow
from projections.audit.queries import AuditFilter, AuditMark, AuditRow, mark_of
from projections.checkpoints import LoopName


def sifted(
    rows: Iterable[AuditRow], wanted: AuditFilter, *, limit: int, before: AuditMark | None = None
) -> list[AuditRow]:
    """What the query shows of these rows, by looking at each."""
    return [
        row
        for row in sorted(rows, key=mark_of, reverse=True)
        if wanted.actor_id in {None, row.actor_id if row.code != "expired" else None}
        and wanted.subject_id in {None, row.subject_id, row.owner_id}
        and (row.event_type == wanted.action if wanted.action else row.actor_id is not None)
        and (wanted.since is None or row.log_time >= wanted.since)
        and (wanted.until is None or row.log_time < wanted.until)
        and (before is None or mark_of(row) < before)
    ][:limit]


def audit_row(row: ActivityRow | AccountActivityRow) -> AuditRow:
    """A row of either read model as the audit shows it."""
    of_its_log: dict[str, Any]
    log: LoopName
    if isinstance(row, AccountActivityRow):
        log, owner_id, subject_id = "identity", row.user_id, row.user_id
        of_its_log = {"session_id": row.session_id, "key_id": row.key_id, "job_id": None, "data": row.data}
    else:
        log, owner_id, subject_id = "assets", row.owner_id, row.asset_id
        own = {"kind": row.kind, "attempt": row.attempt}
        data = row.data | {name: value for name, value in own.items() if value is not None}
        of_its_log = {"session_id": None, "key_id": None, "job_id": row.job_id, "data": data}
    return AuditRow(
        log=log,
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        log_time=row.log_time,
        event_id=row.event_id,
        event_type=row.event_type,
        accepted=row.accepted,
        actor_id=row.actor_id,
        subject_id=subject_id,
        owner_id=owner_id,
        code=row.code,
        correlation_id=row.correlation_id,
        **of_its_log,
    )

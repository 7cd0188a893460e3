"""What workers were told, as the audit shows it: few words, known by heart of the operations topic."""

import asyncio
from datetime import timedelta
from typing import Final

from starlette.requests import Request

from adapters.operations_known import Resumption
from api.access import POSITION_HEADER
from api.parts import Parts
from api.problems import NotYetApplied
from projections.audit.queries import AuditFilter, AuditMark, AuditRow, mark_of
from schemas.events import WorkersResumed
from schemas.positions import Position
from schemas.scalars import EPOCH

_LOOK_SECONDS: Final = 0.02
_PARTITION: Final = 0


def told_to_workers(parts: Parts, wanted: AuditFilter, *, before: AuditMark | None) -> list[AuditRow]:
    """What the filter wants of it, before the mark; nothing where it asks for a person or an asset."""
    if wanted.subject_id is not None or wanted.action not in {None, WorkersResumed.__name__}:
        return []
    rows = [_row(parts, said) for said in parts.presets.resumed()]
    return [row for row in rows if _wants(wanted, row) and (before is None or mark_of(row) < before)]


async def told_by_then(parts: Parts, request: Request) -> None:
    """Waits until what a read was given as its position is known here as well; raises NotYetApplied.

    The positions are those that `catch_up` has read.
    """
    given = (request.query_params.get("after"), request.headers.get(POSITION_HEADER))
    for position in (Position.from_token(token) for token in given if token is not None):
        if position.topic == parts.settings.kafka.topics.operations:
            await _passed(parts, position.offset)


async def _passed(parts: Parts, offset: int) -> None:
    try:
        async with asyncio.timeout(parts.settings.doors.read_wait.total_seconds()):
            while not parts.presets.passed(offset):  # noqa: ASYNC110 - another thread reads the topic
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError as error:
        raise NotYetApplied from error


def _wants(wanted: AuditFilter, row: AuditRow) -> bool:
    return (
        wanted.actor_id in {None, row.actor_id}
        and (wanted.since is None or row.log_time >= wanted.since)
        and (wanted.until is None or row.log_time < wanted.until)
    )


def _row(parts: Parts, said: Resumption) -> AuditRow:
    return AuditRow(
        log="operations",
        topic=parts.settings.kafka.topics.operations,
        partition=_PARTITION,
        offset=said.offset,
        log_time=EPOCH + timedelta(milliseconds=said.log_ms),
        event_id=said.event.event_id,
        event_type=WorkersResumed.__name__,
        accepted=True,
        actor_id=said.event.actor_id,
        subject_id=None,
        owner_id=None,
        session_id=None,
        key_id=None,
        job_id=None,
        code=None,
        data={"component": said.event.component},
        correlation_id=said.correlation_id,
    )

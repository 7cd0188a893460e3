"""Reads the audit: who did what to which account or asset, and when, as the logs have it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.access import catching_up, caught_up
from api.caller import Caller
from api.moments import Moment
from api.openapi import problems
from api.parts import Parts
from api.problems import invalid
from api.queries.listing import Cursor, Limit, cut, listed
from api.queries.resumptions import told_by_then, told_to_workers
from api.tokens import InvalidToken, Signer
from api.user_shapes import AuditPage, audit_shape
from projections.audit.queries import AuditFilter, AuditMark, mark_of
from projections.checkpoints import LOOPS
from schemas.catalogue import CATALOGUE
from schemas.events import WorkersResumed

AUDIT: Final = "/v1/audit"
_PURPOSE: Final = "audit-cursor"
_ACTIONS: Final = sorted(
    kind.name for kind in CATALOGUE if kind.topic in {"assets", "identity"} or kind.cls is WorkersResumed
)

Action = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Only events of this type. How a job went (ProcessingStarted, VariantsReady, "
        "ProcessingFailed) is told only where it is asked for.",
        examples=["RoleChanged"],
    ),
]
Since = Annotated[Moment | None, Query(description="Only what happened since then.")]
Until = Annotated[Moment | None, Query(description="Only what happened before then.")]

router = APIRouter(tags=["users"])


@router.get(
    AUDIT,
    response_model=AuditPage,
    summary="Read the audit",
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("admin"),
)
async def read_audit(
    request: Request,
    actor: Annotated[UUID | None, Query(description="Only what this person did.")] = None,
    subject: Annotated[
        UUID | None,
        Query(description="Only what was done to this person and their assets, or to this asset."),
    ] = None,
    action: Action = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """For administrators: what was done to accounts and assets and told to workers, newest first.

    No personal text is in it.
    """
    parts, caller = await caught_up(request, "admin")
    await told_by_then(parts, request)
    wanted = AuditFilter(actor_id=actor, subject_id=subject, action=action, since=since, until=until)
    return await audit_answer(parts, caller, wanted, path=AUDIT, limit=limit, cursor=cursor)


async def audit_answer(
    parts: Parts, caller: Caller, wanted: AuditFilter, *, path: str, limit: int, cursor: str | None
) -> Response:
    """One page of it, with the way to the next."""
    _check(wanted)
    bound_to = f"{path} {caller.user_id} {wanted}"
    before = _mark_of(parts.signer, cursor, bound_to) if cursor is not None else None
    rows = await parts.reads.audit_page(wanted, limit=limit + 1, before=before)
    if path == AUDIT:
        told = told_to_workers(parts, wanted, before=before)
        rows = sorted((*rows, *told), key=mark_of, reverse=True)[: limit + 1]
    page, last = cut(rows, limit)
    following = None
    if last is not None:
        following = parts.signer.sign(_PURPOSE, _marked(mark_of(last)), bound_to=bound_to)
    body = AuditPage(items=tuple(audit_shape(row) for row in page), next_cursor=following)
    return listed(body, path, {**_query(wanted, path), "limit": limit}, following)


def _check(wanted: AuditFilter) -> None:
    if wanted.action is not None and wanted.action not in _ACTIONS:
        raise invalid("query.action", f"is none of {', '.join(_ACTIONS)}")


def _query(wanted: AuditFilter, path: str) -> dict[str, object]:
    """The filter as it was asked for; one's own activity names no subject."""
    return {
        "actor": wanted.actor_id,
        "subject": wanted.subject_id if path == AUDIT else None,
        "action": wanted.action,
        "since": wanted.since.isoformat() if wanted.since is not None else None,
        "until": wanted.until.isoformat() if wanted.until is not None else None,
    }


def _marked(mark: AuditMark) -> bytes:
    return f"{mark.log_time.isoformat()} {mark.log} {mark.partition} {mark.offset}".encode()


def _mark_of(signer: Signer, cursor: str, bound_to: str) -> AuditMark:
    try:
        said = signer.open(_PURPOSE, cursor, bound_to=bound_to).decode()
        moment, name, partition, offset = said.split(" ")
        log = LOOPS[LOOPS.index(name)]
        return AuditMark(datetime.fromisoformat(moment), log, int(partition), int(offset))
    except (InvalidToken, ValueError) as error:
        raise invalid("query.cursor", "is no cursor of this list") from error

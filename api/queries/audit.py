"""Reads the audit: who did what to whose account, and when, as the log has it."""

from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.access import catching_up, caught_up
from api.caller import Caller
from api.openapi import problems
from api.parts import Parts
from api.problems import invalid
from api.queries.accounts import AuditMark
from api.tokens import InvalidToken, Signer
from api.user_shapes import AuditPage, audit_shape
from projections.account_activity.queries import AuditFilter

AUDIT: Final = "/v1/audit"
PRIVATE: Final = {"Cache-Control": "private, no-cache"}
LARGEST_PAGE: Final = 200
_PURPOSE: Final = "audit-cursor"

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")]

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
    subject: Annotated[UUID | None, Query(description="Only what was done to this person.")] = None,
    action: Annotated[str | None, Query(max_length=100, examples=["RoleChanged"])] = None,
    since: Annotated[datetime | None, Query(description="Only what happened since then.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """For administrators: everything that happened to accounts, newest first. No personal text is in it."""
    parts, caller = await caught_up(request, "admin")
    wanted = AuditFilter(actor_id=actor, user_id=subject, event_type=action, since=since)
    return await audit_answer(parts, caller, wanted, path=AUDIT, limit=limit, cursor=cursor)


async def audit_answer(
    parts: Parts, caller: Caller, wanted: AuditFilter, *, path: str, limit: int, cursor: str | None
) -> Response:
    """One page of it, with the way to the next."""
    if wanted.since is not None and wanted.since.tzinfo is None:
        raise invalid("query.since", "needs a time zone")
    if wanted.event_type is not None and "\0" in wanted.event_type:
        raise invalid("query.action", "must not hold NUL")
    bound_to = f"{path} {caller.user_id} {wanted}"
    before = _mark_of(parts.signer, cursor, bound_to) if cursor is not None else None
    rows = await parts.identity.accounts.audit_page(wanted, limit=limit + 1, before=before)
    page, following = rows[:limit], None
    if len(rows) > limit:
        last = page[-1]
        marked = f"{last.log_time.isoformat()} {last.partition} {last.offset}"
        following = parts.signer.sign(_PURPOSE, marked.encode(), bound_to=bound_to)
    body = AuditPage(items=tuple(audit_shape(row) for row in page), next_cursor=following)
    response = Response(body.model_dump_json(), media_type="application/json", headers=PRIVATE)
    if following is not None:
        query = {**_query(wanted, caller), "limit": limit, "cursor": following}
        response.headers["Link"] = f'<{path}?{urlencode(query)}>; rel="next"'
    return response


def _query(wanted: AuditFilter, caller: Caller) -> dict[str, object]:
    """The filter as it was asked for; one's own activity names no subject."""
    given = {
        "actor": wanted.actor_id,
        "subject": wanted.user_id if caller.admin else None,
        "action": wanted.event_type,
        "since": wanted.since.isoformat() if wanted.since is not None else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _mark_of(signer: Signer, cursor: str, bound_to: str) -> AuditMark:
    try:
        said = signer.open(_PURPOSE, cursor, bound_to=bound_to).decode()
        moment, partition, offset = said.split(" ")
        return datetime.fromisoformat(moment), int(partition), int(offset)
    except (InvalidToken, ValueError) as error:
        raise invalid("query.cursor", "is no cursor of this list") from error

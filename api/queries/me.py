"""Reads what is one's own: who one is, where one is logged in, which keys one has, what happened."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.access import catching_up, caught_up
from api.commands.end_session import MOST_SESSIONS
from api.commands.issue_api_key import MOST_KEYS
from api.identity_problems import PersonNeeded
from api.openapi import problems
from api.persons import account_of
from api.queries.audit import Action, Since, Until, audit_answer
from api.queries.listing import Cursor, Limit
from api.representations import PRIVATE
from api.user_shapes import ApiKeyList, AuditPage, Me, SessionList, key_shape, session_shape
from projections.audit.queries import AuditFilter

ME: Final = "/v1/auth/me"
SESSIONS: Final = "/v1/auth/sessions"
ACTIVITY: Final = "/v1/auth/activity"
KEYS: Final = "/v1/api-keys"

router = APIRouter()


@router.get(
    ME,
    summary="Ask who you are",
    tags=["accounts"],
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("anybody"),
)
async def read_me(request: Request, response: Response) -> Me:
    """Whoever the credential is of: a person, their API key, or a machine with a static key."""
    parts, caller = await caught_up(request, "anybody")
    account = await account_of(parts, caller)
    response.headers.update(PRIVATE)
    return Me(
        user_id=caller.user_id,
        email=account.address if account is not None else None,
        role=caller.role,
        scopes=tuple(sorted(caller.scopes)),
        session_id=caller.access.session_id if caller.access is not None else None,
        registered_at=account.registered_at if account is not None else None,
    )


@router.get(
    SESSIONS,
    summary="List your sessions",
    tags=["accounts"],
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("person"),
)
async def list_sessions(request: Request, response: Response) -> SessionList:
    """Where you are logged in, newest first."""
    parts, caller = await caught_up(request, "person")
    if caller.access is None:
        raise PersonNeeded
    await account_of(parts, caller)  # waits for the session that has just begun
    rows = await parts.identity.accounts.live_sessions(caller.user_id, parts.clock.now(), MOST_SESSIONS)
    response.headers.update(PRIVATE)
    return SessionList(items=tuple(session_shape(row, caller.access.session_id) for row in rows))


@router.get(
    KEYS,
    summary="List your API keys",
    tags=["api keys"],
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("person"),
)
async def list_api_keys(request: Request, response: Response) -> ApiKeyList:
    """Those that are not revoked, newest first, without their secrets."""
    parts, caller = await caught_up(request, "person")
    rows = await parts.identity.accounts.keys_of(caller.user_id, MOST_KEYS)
    used = await parts.identity.accounts.key_uses([row.key_id for row in rows])
    response.headers.update(PRIVATE)
    return ApiKeyList(items=tuple(key_shape(row, used.get(row.key_id)) for row in rows))


@router.get(
    ACTIVITY,
    response_model=AuditPage,
    summary="List what happened to your account and assets",
    tags=["accounts"],
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("person"),
)
async def list_activity(
    request: Request,
    action: Action = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Logins, refreshes, changes, keys, uploads, purges: newest first."""
    parts, caller = await caught_up(request, "person")
    wanted = AuditFilter(subject_id=caller.user_id, action=action, since=since, until=until)
    return await audit_answer(parts, caller, wanted, path=ACTIVITY, limit=limit, cursor=cursor)

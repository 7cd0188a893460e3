"""RevokeSession: a person ends one of their sessions from another."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import entering
from api.commands.answers import no_content
from api.commands.end_session import end_session
from api.intent import IdempotencyKey
from api.openapi import problems
from api.persons import own_account, person
from api.problems import NotFound

ROUTE: Final = "/v1/auth/sessions/{session_id}"
router = APIRouter()


@router.delete(
    ROUTE,
    status_code=204,
    summary="End one of your sessions",
    response_description="It has ended.",
    tags=["accounts"],
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=entering("person"),
)
async def revoke_session(
    request: Request,
    session_id: Annotated[UUID, Path(description="A session of yours.")],
    key: IdempotencyKey = None,
) -> Response:
    """Its refresh token is worth nothing at once, its access token within a second.

    It is the same however often it is asked; no `Idempotency-Key` is needed.
    """
    del key
    parts, caller, _ = await person(request)
    account = await own_account(parts, caller)
    standing = await parts.identity.accounts.standing(session_id=session_id, user_id=caller.user_id)
    if standing.session is None:
        raise NotFound
    if standing.session.revoked_at is not None:
        return Response(status_code=204)  # as it was asked for, whoever ended it
    position = await end_session(
        parts,
        account_key=account.account_key,
        user_id=caller.user_id,
        session_id=session_id,
        code="logout",
        actor_id=caller.user_id,
    )
    return no_content(position)

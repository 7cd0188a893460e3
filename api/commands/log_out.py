"""LogOut: a session ends, by whoever holds it."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.access import entering
from api.commands.answers import say_position
from api.commands.end_session import end_session
from api.credentials.cookies import clear_cookie, token_in_cookie
from api.credentials.refresh_tokens import RefreshToken
from api.intent import IdempotencyKey
from api.openapi import problems
from api.parts import Parts, parts_of
from api.persons import own_account, person
from api.tokens import InvalidToken

ROUTE: Final = "/v1/auth/logout"
router = APIRouter()


@router.post(
    ROUTE,
    status_code=204,
    summary="Log out",
    response_description="The session has ended.",
    tags=["accounts"],
    responses=problems(401, 403, 413, 415, 422, 503),
    openapi_extra=entering("person"),
)
async def log_out(request: Request, key: IdempotencyKey = None) -> Response:
    """Ends the session of the access token, and those tokens with it; without one, that of the cookie.

    It is the same however often it is asked; no `Idempotency-Key` is needed.
    """
    del key
    response = Response(status_code=204)
    parts = parts_of(request)
    token = _in_cookie(parts, request)
    if token is not None:
        clear_cookie(parts, request, response)
    if token is None or "authorization" in request.headers:
        parts, caller, access = await person(request)
        account = await own_account(parts, caller)
        account_key, user_id, session_id = account.account_key, caller.user_id, access.session_id
    elif _over(parts, token):
        return response
    else:
        account_key, user_id, session_id = token.account_key, token.user_id, token.session_id
    position = await end_session(
        parts,
        account_key=account_key,
        user_id=user_id,
        session_id=session_id,
        code="logout",
        actor_id=user_id,
    )
    say_position(response, position)
    return response


def _over(parts: Parts, token: RefreshToken) -> bool:
    """Whether the session is known to have ended: an old cookie sent for ever must not fill the log."""
    ended = parts.identity.denials.denies_session(token.session_id, token.user_id)
    return ended or token.expires_at <= parts.clock.now()


def _in_cookie(parts: Parts, request: Request) -> RefreshToken | None:
    text = token_in_cookie(parts, request)
    if text is None:
        return None
    try:
        return parts.identity.refresh.read(text)
    except InvalidToken:
        return None

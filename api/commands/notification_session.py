"""OpenStreamSession: a page gets a cookie with which its EventSource may listen, and no more."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.access import entered, entering
from api.caller import bearer_in
from api.credentials.cookies import encrypted
from api.intent import IdempotencyKey
from api.notifications.entrance import NEED
from api.notifications.passes import NAME, until, write_pass
from api.notifications.stream import PATH
from api.openapi import problems

ROUTE: Final = "/v1/notifications/session"
router = APIRouter()


@router.post(
    ROUTE,
    status_code=204,
    summary="Let this browser's EventSource listen",
    response_description="A cookie for the stream alone; it ends with the credential.",
    tags=["live"],
    responses=problems(401, 403, 422, 503),
    openapi_extra=entering(NEED),
)
async def open_stream_session(request: Request, key: IdempotencyKey = None) -> Response:
    """Sets a cookie that no script can read, for the stream alone; ask again when it is over.

    Nothing is appended, and so no `Idempotency-Key` is needed.
    """
    del key
    parts, caller = await entered(request, NEED)
    now = parts.clock.now()
    expires_at = until(caller, now)
    response = Response(status_code=204)
    response.set_cookie(
        NAME,
        write_pass(
            parts.settings.secrets.token_secrets, bearer_in(request.headers.get("authorization")), expires_at
        ),
        max_age=int((expires_at - now).total_seconds()),
        path=PATH,
        secure=encrypted(parts, request),
        httponly=True,
        samesite="strict",
    )
    return response

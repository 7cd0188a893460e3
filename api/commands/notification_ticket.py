"""IssueStreamTicket: leave to open one live stream, once and soon, by a text that may stand in a URL."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered, entering
from api.caller import bearer_in
from api.intent import IdempotencyKey
from api.notifications.entrance import NEED
from api.notifications.tickets import LIFE, issue
from api.openapi import problems

ROUTE: Final = "/v1/notifications/ticket"
router = APIRouter()


class StreamTicket(BaseModel):
    """Leave to open one stream: GET /v1/notifications/stream?ticket=…"""

    model_config = ConfigDict(frozen=True)

    ticket: Annotated[str, Field(examples=["k3Jr0u5zK6d4mVw8Q1nX2bYtHs7pLcAeRfGiUoZyT9M"])]
    expires_at: Annotated[datetime, Field(description="Use it before; it is good for one stream.")]


@router.post(
    ROUTE,
    summary="Get a ticket to the live stream",
    response_description="A ticket.",
    tags=["live"],
    responses=problems(401, 403, 422, 503),
    openapi_extra=entering(NEED),
)
async def issue_stream_ticket(request: Request, key: IdempotencyKey = None) -> StreamTicket:
    """For an EventSource that can send no cookie. The stream ends with the credential that asks here.

    Each asking gives a ticket of its own: no `Idempotency-Key` is needed.
    """
    del key
    parts, _ = await entered(request, NEED)
    now = parts.clock.now()
    expires_at = now + LIFE
    ticket = await issue(parts.tickets, bearer_in(request.headers.get("authorization")), expires_at, now)
    return StreamTicket(ticket=ticket, expires_at=expires_at)

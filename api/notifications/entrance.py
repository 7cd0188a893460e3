"""Who may listen: by header as everywhere, or by what an EventSource can bring, a cookie or a ticket."""

from typing import Final

from starlette.requests import Request

from api.access import entered_as
from api.caller import Caller, Need
from api.credentials.cookies import from_our_page
from api.notifications.passes import NAME, read_pass
from api.notifications.tickets import redeem
from api.parts import Parts, parts_of

NEED: Final[Need] = "assets:read"
TICKET: Final = "ticket"


async def let_in(request: Request) -> tuple[Parts, Caller, str]:
    """The parts, the caller, and the Authorization header that stands for the caller from now on.

    A ticket is used up. Raises what `entered` raises, and psycopg.OperationalError where a ticket can't be
    looked up.
    """
    given = await _given(request)
    parts, caller = await entered_as(request, NEED, given)
    return parts, caller, given or ""


async def _given(request: Request) -> str | None:
    """The header, or the one that a ticket or the cookie stands for; empty where that is nothing."""
    if (header := request.headers.get("authorization")) is not None:
        return header
    parts = parts_of(request)
    now = parts.clock.now()
    if (ticket := request.query_params.get(TICKET)) is not None:
        return _bearer(await redeem(parts.tickets, ticket, now))
    if (text := request.cookies.get(NAME)) is not None and from_our_page(parts, request):
        return _bearer(read_pass(parts.settings.secrets.token_secrets, text, now))
    return None


def _bearer(credential: str | None) -> str:
    return "" if credential is None else f"Bearer {credential}"

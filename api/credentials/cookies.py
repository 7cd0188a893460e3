"""The refresh token as a cookie, for the web page: no script can read it, no other page can use it.

Whoever wants it says so in a header. Browsers send such a header to another origin only after asking there,
and ours answers no; so the header also proves that a request with the cookie comes from a page of ours.
"""

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from api.identity_problems import OriginRefused
from api.parts import Parts
from api.security_events import say

HEADER: Final = "Darkroom-Session"
COOKIE: Final = "cookie"
"""The header's one value."""
NAME: Final = "darkroom_refresh"
PATH: Final = "/v1/auth"
_SAME: Final = frozenset({"same-origin", "none"})


def wants_cookie(request: Request) -> bool:
    """Whether the answer's refresh token is to be a cookie."""
    return request.headers.get(HEADER, "").lower() == COOKIE


def set_cookie(parts: Parts, request: Request, response: Response, token: str, expires_at: datetime) -> None:
    """Hands the token to the browser until the session's end."""
    response.set_cookie(
        NAME,
        token,
        max_age=int((expires_at - parts.clock.now()).total_seconds()),
        path=PATH,
        secure=encrypted(parts, request),
        httponly=True,
        samesite="strict",
    )


def clear_cookie(parts: Parts, request: Request, response: Response) -> None:
    """Has the browser forget it."""
    response.delete_cookie(
        NAME, path=PATH, secure=encrypted(parts, request), httponly=True, samesite="strict"
    )


def token_in_cookie(parts: Parts, request: Request) -> str | None:
    """The token that a page of ours sends along; raises OriginRefused where another page does."""
    token = request.cookies.get(NAME)
    if token is None:
        return None
    if not (wants_cookie(request) and from_our_page(parts, request)):
        say(parts, "origin_refused")
        raise OriginRefused
    return token


def from_our_page(parts: Parts, request: Request) -> bool:
    """By what browsers say of where a request comes from; programs that are no browsers say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") not in _SAME:
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = {request.headers.get("host", "").lower()}
    if parts.settings.runtime.url is not None:
        ours.add(urlsplit(parts.settings.runtime.url).netloc.lower())
    return urlsplit(origin).netloc.lower() in ours


def encrypted(parts: Parts, request: Request) -> bool:
    """Whether browsers reach us encrypted, so that a cookie may ask for nothing less."""
    url = parts.settings.runtime.url or ""
    return parts.settings.production or request.url.scheme == "https" or url.startswith("https:")

"""What a route may ask of a request before it answers: who calls, and that the read models have caught up."""

from typing import Annotated, Final

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPBearer
from structlog.contextvars import bind_contextvars

from api.caller import Caller, authenticate
from api.parts import Parts, parts_of
from api.problems import NotYetApplied, Unauthenticated, invalid
from projections import waiting
from schemas.positions import InvalidPosition, Position

POSITION_HEADER: Final = "Darkroom-Position"
_TOKEN_LENGTH: Final = 500

# Only for the description of the API: it makes no decision.
_described = HTTPBearer(auto_error=False, scheme_name="key", description="An API key as a bearer token.")


async def parts_here(request: Request) -> Parts:
    """The parts of this app, as a dependency."""
    return parts_of(request)


async def authenticated(request: Request, _: Annotated[object, Depends(_described)] = None) -> Caller:
    """The caller; problem 401 without a credential that we believe."""
    return await caller_of(request)


async def caller_of(request: Request) -> Caller:
    """The caller, for routes outside of FastAPI; raises Unauthenticated. Logs name it from then on."""
    caller = await authenticate(parts_of(request).credentials, request.headers.get("authorization"))
    if caller is None:
        raise Unauthenticated
    bind_contextvars(user_id=str(caller.user_id), credential=caller.credential)
    return caller


async def caught_up(
    parts: Annotated[Parts, Depends(parts_here)],
    _: Annotated[Caller, Depends(authenticated)],  # strangers don't get to wait
    after: Annotated[
        str | None,
        Query(max_length=_TOKEN_LENGTH, description="Answer only when this position is applied (≤ 2 s)."),
    ] = None,
    position: Annotated[
        str | None,
        Header(
            alias=POSITION_HEADER,
            max_length=_TOKEN_LENGTH,
            description="The same as `after`, as the answer to a write carried it.",
        ),
    ] = None,
) -> None:
    """Waits until the read models have passed the positions that the read was given; problems 422, 503."""
    for location, token in (("query.after", after), (f"header.{POSITION_HEADER}", position)):
        if token is not None:
            await _wait(parts, read_position(parts, location, token))


def read_position(parts: Parts, location: str, token: str) -> Position:
    """The position behind a token of ours; raises Invalid for any other text."""
    try:
        position = Position.from_token(token)
    except InvalidPosition as error:
        raise invalid(location, "is no position of ours") from error
    kafka = parts.settings.kafka
    if position.topic != kafka.topics.assets or position.partition >= kafka.partitions:
        raise invalid(location, "is no position of this log")
    return position


async def _wait(parts: Parts, position: Position) -> None:
    try:
        await parts.reads.wait_for(position, parts.settings.doors.read_wait.total_seconds())
    except waiting.NotYetApplied as error:
        raise NotYetApplied from error


PartsHere = Annotated[Parts, Depends(parts_here)]
Authenticated = Annotated[Caller, Depends(authenticated)]
CaughtUp = Depends(caught_up)

"""What every route asks first: who calls, and for reads, that the read models have caught up with a position.

Plain calls, not dependencies: on the way to a read of some hundred microseconds, resolving a tree of
dependencies took half of the time.
"""

from typing import Any, Final

from starlette.requests import Request
from structlog.contextvars import bind_contextvars

from api.caller import Caller, Need, authenticate, bearer_in
from api.identity_problems import NotAllowed, PersonNeeded, ScopeMissing
from api.limits.doors import admit_caller, admit_stranger
from api.parts import Parts, parts_of
from api.problems import NotYetApplied, Unauthenticated, invalid
from api.security_events import say
from projections import waiting
from schemas.positions import InvalidPosition, Position

POSITION_HEADER: Final = "Darkroom-Position"
_TOKEN_LENGTH: Final = 500

# How the two calls below look in the description of the API: in what is needed, and in what may be given.
POSITIONS: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "after",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "maxLength": _TOKEN_LENGTH},
            "description": "Answer only when this position is applied; links of ours carry it.",
        },
        {
            "name": POSITION_HEADER,
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": _TOKEN_LENGTH},
            "description": "The same, as the answer to a write carried it.",
        },
    ],
}


def entering(need: Need) -> dict[str, Any]:
    """How `entered` stands in the description of a route."""
    return {"security": [{"key": [] if need == "anybody" else [need]}]}


def catching_up(need: Need) -> dict[str, Any]:
    """How `caught_up` stands in the description of a route."""
    return {**entering(need), **POSITIONS}


async def entered(request: Request, need: Need) -> tuple[Parts, Caller]:
    """The parts and the caller; raises Unauthenticated without a credential that we believe, TooManyRequests
    when there are too many, and NotAllowed, ScopeMissing or PersonNeeded where the need is not met.

    Logs name the caller from then on.
    """
    return await entered_as(request, need, request.headers.get("authorization"))


async def entered_as(request: Request, need: Need, given: str | None) -> tuple[Parts, Caller]:
    """As `entered`, by this Authorization header rather than by the request's own; None: there is none."""
    parts = parts_of(request)
    caller = await _believed(parts, request, given)
    if caller is None:
        raise Unauthenticated
    bind_contextvars(user_id=str(caller.user_id), caller=caller.credential)
    await admit_caller(parts, request, caller)
    if not caller.may(need):
        say(parts, "access_refused", need=need)
        raise refusal(caller, need)
    return parts, caller


async def _believed(parts: Parts, request: Request, given: str | None) -> Caller | None:
    """Who calls. Strangers with credentials are counted before they cost a query; raises TooManyRequests."""
    if not parts.credentials.costs_a_query(bearer_in(given)):
        caller = await authenticate(parts.credentials, given)
        if caller is None and given is not None:  # without one the front has counted it
            say(parts, "authentication_failed")
            await admit_stranger(parts, request.scope)
        return caller
    permit = await admit_stranger(parts, request.scope)
    caller = await authenticate(parts.credentials, given)
    if caller is None:
        say(parts, "authentication_failed")
    else:
        permit.give_back()
    return caller


async def still_entered(parts: Parts, need: Need, given: str) -> bool:
    """Whether the header of a request that lasts would be let in now; nothing is counted or said.

    Raises psycopg.OperationalError where nobody knows.
    """
    caller = await authenticate(parts.credentials, given)
    return caller is not None and caller.may(need)


def refusal(caller: Caller, need: Need) -> NotAllowed | PersonNeeded | ScopeMissing:
    """Why a caller may not."""
    if need == "person":
        return PersonNeeded()
    if need == "admin" and caller.role != "admin":
        return NotAllowed()
    return ScopeMissing(scope=need)


async def caught_up(request: Request, need: Need) -> tuple[Parts, Caller]:
    """As `entered`, once the read models have passed the positions that the read was given.

    Raises Invalid for what is no position of ours, NotYetApplied when the wait runs out. Strangers don't get
    to wait.
    """
    parts, caller = await entered(request, need)
    await catch_up(parts, request)
    return parts, caller


async def catch_up(parts: Parts, request: Request) -> None:
    """Waits for the positions that a read was given; raises Invalid, NotYetApplied."""
    given = (
        ("query.after", request.query_params.get("after")),
        (f"header.{POSITION_HEADER}", request.headers.get(POSITION_HEADER)),
    )
    for location, token in given:
        if token is not None:
            await wait_for(parts, _position(parts, location, token))


def _position(parts: Parts, location: str, token: str) -> Position:
    kafka = parts.settings.kafka
    try:
        position = Position.from_token(token[: _TOKEN_LENGTH + 1])
    except InvalidPosition as error:
        raise invalid(location, "is no position of ours") from error
    topics = kafka.topics
    partitions = {topics.assets: kafka.partitions, topics.identity: kafka.partitions, topics.operations: 1}
    if position.partition >= partitions.get(position.topic, 0):
        raise invalid(location, "is no position of this log")
    return position


async def wait_for(parts: Parts, position: Position) -> None:
    """Returns once the read models have passed the position; raises NotYetApplied after READ_WAIT."""
    try:
        with parts.metrics.http.position_waits.of().time():
            await parts.reads.wait_for(position, parts.settings.doors.read_wait.total_seconds())
    except waiting.NotYetApplied as error:
        raise NotYetApplied from error

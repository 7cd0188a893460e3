"""Refresh: a session goes on, with the next tokens; and ends where an old token is shown again."""

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import read_json
from api.commands.answers import say_position
from api.commands.end_session import end_session
from api.commands.signing_in import AccessToken, ExpiresIn, NextToken, hand_out, mint
from api.credentials.cookies import token_in_cookie
from api.credentials.refresh_tokens import MAX_LENGTH, RefreshToken
from api.identity_problems import RefreshRefused
from api.intent import IdempotencyKey
from api.openapi import json_request, problems
from api.origin import metadata
from api.parts import Parts, parts_of
from api.security_events import say
from api.tokens import InvalidToken
from projections.sessions.queries import Standing
from schemas.account_state import NEVER_PRESENTED
from schemas.events import SessionRefreshed
from schemas.identity import refresh_id
from schemas.positions import Position

ROUTE: Final = "/v1/auth/refresh"
# What nothing is known of is believed as little as can be, until something is.
_UNKNOWN_ROLE: Final = "user"
_UNKNOWN_VERSION: Final = 1

router = APIRouter()


class Refresh(BaseModel):
    """The refresh token that came last; left out where a cookie holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    refresh_token: Annotated[
        str | None, Field(min_length=1, max_length=MAX_LENGTH, examples=["dr1.k1.…"], repr=False)
    ] = None


class Refreshed(BaseModel):
    """The next tokens of a session."""

    model_config = ConfigDict(frozen=True)

    access_token: AccessToken
    refresh_token: NextToken
    expires_in: ExpiresIn


@router.post(
    ROUTE,
    summary="Go on with a session",
    response_description="The next tokens.",
    tags=["accounts"],
    responses=problems(401, 403, 408, 413, 415, 422, 503),
    openapi_extra=json_request(Refresh, None, required=False),
)
async def refresh(request: Request, response: Response, key: IdempotencyKey = None) -> Refreshed:
    """Gives the next tokens. Asked again with the same token it gives the same next refresh token.

    Once that one was presented, the older ones are worth nothing: who shows one ends the session, since
    somebody has copied it. No `Idempotency-Key` is needed.
    """
    del key  # a token repeats by itself
    parts = parts_of(request)
    token = _opened(parts, await _given(parts, request))
    standing = await _standing(parts, token)
    known = standing.session.presented if standing.session is not None else NEVER_PRESENTED
    presented = max(known, parts.identity.presented.get(token.session_id, NEVER_PRESENTED))
    if token.generation < presented:
        await _reused(parts, token)
    position = await _presented(parts, token) if token.generation > presented else _start(parts, token)
    say_position(response, position)
    return Refreshed(
        access_token=mint(
            parts,
            token,
            role=standing.role or _UNKNOWN_ROLE,
            version=standing.version or _UNKNOWN_VERSION,
            position=position,
        ),
        refresh_token=hand_out(parts, request, response, token.successor()),
        expires_in=parts.identity.access.seconds,
    )


async def _given(parts: Parts, request: Request) -> str:
    """The token of the body or of the cookie."""
    if request.headers.get("content-type") is not None or request.headers.get("content-length", "0") != "0":
        body = await read_json(request, Refresh)
        if body.refresh_token is not None:
            return body.refresh_token
    if (text := token_in_cookie(parts, request)) is not None:
        return text
    raise RefreshRefused


def _opened(parts: Parts, text: str) -> RefreshToken:
    try:
        token = parts.identity.refresh.read(text)
    except InvalidToken as error:
        say(parts, "token_forged")
        raise RefreshRefused from error
    if token.expires_at <= parts.clock.now():
        raise RefreshRefused
    if parts.identity.denials.denies_session(token.session_id, token.user_id):
        raise RefreshRefused
    return token


async def _standing(parts: Parts, token: RefreshToken) -> Standing:
    """How the session stands; it may be unknown as long as the read models are behind its start.

    Raises RefreshRefused where it has ended, or never began: a login whose account changed meanwhile, or a
    person who was erased.
    """
    accounts = parts.identity.accounts
    begun = accounts.applied(token.partition) > token.offset  # asked first: rows only ever come later
    standing = await accounts.standing(session_id=token.session_id, user_id=token.user_id)
    session = standing.session
    if standing.erased or (session is None and begun):
        raise RefreshRefused
    if session is not None and (session.revoked_at is not None or session.expires_at <= parts.clock.now()):
        raise RefreshRefused
    return standing


async def _reused(parts: Parts, token: RefreshToken) -> None:
    """An old token: whoever holds the newer ones, this one or the other is a thief. Nobody goes on."""
    say(parts, "token_reused", session_id=str(token.session_id), user_id=str(token.user_id))
    await end_session(
        parts,
        account_key=token.account_key,
        user_id=token.user_id,
        session_id=token.session_id,
        code="reuse",
        actor_id=token.user_id,
    )
    raise RefreshRefused


async def _presented(parts: Parts, token: RefreshToken) -> Position:
    """Says that this generation was shown: from now on the one before it is worth nothing."""
    event = SessionRefreshed(
        event_id=refresh_id(token.session_id, token.generation),
        occurred_at=parts.clock.now(),
        account_key=token.account_key,
        user_id=token.user_id,
        actor_id=token.user_id,
        session_id=token.session_id,
        presented_generation=token.generation,
    )
    position = await parts.log.append(event, metadata())
    highest = parts.identity.presented.get(token.session_id, NEVER_PRESENTED)
    parts.identity.presented[token.session_id] = max(highest, token.generation)
    return position


def _start(parts: Parts, token: RefreshToken) -> Position:
    """Where the session began: the least that a reader with these tokens must have caught up with."""
    topic = parts.settings.kafka.topics.identity
    return Position(topic=topic, partition=token.partition, offset=token.offset)

"""What registering, logging in and refreshing have in common: a session that begins, and tokens of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.clock import new_id
from adapters.owners import deterministic_id
from api.commands.answers import say_position
from api.commands.verdicts import append_under, identity_partition, key_or_fresh
from api.credentials.cookies import set_cookie, wants_cookie
from api.credentials.refresh_tokens import RefreshToken
from api.intent import scope_of
from api.parts import Parts
from projections.accounts.queries import AccountRow
from projections.sessions.queries import SessionRow
from schemas.events import SessionStarted
from schemas.identity import SessionKind
from schemas.positions import Position

AccessToken = Annotated[
    str, Field(description="Send it as `Authorization: Bearer …`.", examples=["eyJhbGc…"])
]
NextToken = Annotated[
    str | None,
    Field(
        description="Present it once for the next tokens; null where a cookie holds it.", examples=["dr1.…"]
    ),
]
ExpiresIn = Annotated[int, Field(description="Seconds that the access token holds.", examples=[900])]


class SignedIn(BaseModel):
    """Somebody is logged in."""

    model_config = ConfigDict(frozen=True)

    user_id: UUID
    email: Annotated[str, Field(examples=["ada@example.org"])]
    access_token: AccessToken
    refresh_token: NextToken
    expires_in: ExpiresIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody who comes to a door that is open to strangers, and whose account it is about.

    `key` is the Idempotency-Key, or one of ours that nobody knows unless we tell them; each id is made of it.
    """

    account_key: str
    key: str
    given: bool
    scope: bytes
    secret: bytes
    asked_at: datetime

    @classmethod
    def of(cls, parts: Parts, *, account_key: str, route: str, key: str | None) -> "Entry":
        """A beginning."""
        secret = parts.settings.secrets.id_key
        chosen = key_or_fresh(key)
        return cls(
            account_key=account_key,
            key=chosen,
            given=key is not None,
            scope=scope_of(secret, account_key, route, "", chosen),
            secret=secret,
            asked_at=parts.clock.now(),
        )

    def new_id(self, what: str) -> UUID:
        """The id for `what`: always the same under one key, and not to be guessed."""
        return deterministic_id(self.secret, self.scope, what)


async def start_session(
    parts: Parts, entry: Entry, account: AccountRow, kind: SessionKind
) -> tuple[RefreshToken, Position]:
    """Begins a session, or goes on with the one that was begun under the same key and lives.

    A login counts only for the version of the account whose password was checked.
    """
    session_id, event_id, generation = entry.new_id("session"), entry.new_id("started"), 0
    known = await _begun(parts, account, session_id) if entry.given else None
    if known is not None and (known.revoked_at is not None or known.expires_at <= entry.asked_at):
        session_id, event_id = new_id(), new_id()
    elif known is not None:
        generation = known.presented + 1
    event = SessionStarted(
        event_id=event_id,
        occurred_at=entry.asked_at,
        account_key=account.account_key,
        user_id=account.user_id,
        actor_id=account.user_id,
        expected_version=account.version if kind == "login" else None,
        session_id=session_id,
        expires_at=entry.asked_at + parts.settings.secrets.jwt_refresh_expire,
        kind=kind,
    )
    position = await append_under(parts, event, entry.key)
    token = RefreshToken(
        session_id=session_id,
        user_id=account.user_id,
        account_key=account.account_key,
        generation=generation,
        partition=identity_partition(parts, account.account_key),
        offset=position.offset,
        expires_at=event.expires_at,
    )
    return token, position


async def _begun(parts: Parts, account: AccountRow, session_id: UUID) -> SessionRow | None:
    standing = await parts.identity.accounts.standing(session_id=session_id, user_id=account.user_id)
    return standing.session


def signed_in(
    parts: Parts,
    request: Request,
    response: Response,
    account: AccountRow,
    session: tuple[RefreshToken, Position],
) -> SignedIn:
    """The answer to whoever logged in, or registered."""
    token, position = session
    say_position(response, position)
    return SignedIn(
        user_id=account.user_id,
        email=account.address or "",
        access_token=mint(parts, token, role=account.role, version=account.version, position=position),
        refresh_token=hand_out(parts, request, response, token),
        expires_in=parts.identity.access.seconds,
    )


def mint(parts: Parts, token: RefreshToken, *, role: str, version: int, position: Position) -> str:
    """An access token of the session."""
    return parts.identity.access.mint(
        user_id=token.user_id,
        session_id=token.session_id,
        role=role,
        version=version,
        position=position.token(),
    )


def hand_out(parts: Parts, request: Request, response: Response, token: RefreshToken) -> str | None:
    """The refresh token's text for the answer; None where it goes into a cookie instead."""
    text = parts.identity.refresh.write(token)
    response.headers["Cache-Control"] = "no-store"
    if not wants_cookie(request):
        return text
    set_cookie(parts, request, response, text, token.expires_at)
    return None

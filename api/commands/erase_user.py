"""EraseUser: a person is to be forgotten; their account ends here, and what is left goes afterwards."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.owners import deterministic_id
from api.access import entered, refusal
from api.bodies import read_json
from api.caller import Caller, bearer_in
from api.commands.answers import say_position
from api.commands.verdicts import ATTEMPTS, key_or_fresh, place_of, settled
from api.identity_problems import WrongCredentials
from api.intent import IdempotencyKey, begin, scope_of
from api.limits.doors import admit_login
from api.openapi import json_request, problems
from api.parts import Parts, parts_of
from api.passwords import Password, is_right
from api.persons import account_of
from api.problems import NotFound, Unauthenticated
from api.security_events import say
from projections.account_activity.queries import AccountActivityRow
from projections.accounts.queries import AccountRow
from schemas.events import SubjectErased

ROUTE: Final = "/v1/users/{user_id}"
_WHAT: Final = "erasure"
router = APIRouter()


class ErasureAccepted(BaseModel):
    """It is decided, and goes on by itself."""

    model_config = ConfigDict(frozen=True)

    erasure_id: Annotated[UUID, Field(description="Keep it: it is all by which you can ask how far it is.")]
    status_url: Annotated[str, Field(examples=["/v1/erasures/0199a8e4-7c1d-8b6e-9f00-2f5a6f1f8e11"])]


class EraseUser(BaseModel):
    """What people say who erase themselves; whoever erases others sends no body."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: Password


@router.delete(
    ROUTE,
    status_code=202,
    summary="Erase an account and everything of its person",
    response_description="The account has ended; the rest goes on by itself.",
    tags=["users"],
    responses=problems(401, 403, 404, 408, 409, 413, 415, 422, 503),
    openapi_extra=json_request(EraseUser, "anybody", required=False),
)
async def erase_user(
    request: Request,
    response: Response,
    user_id: Annotated[UUID, Path(description="Your own id; for administrators, anybody's.")],
    key: IdempotencyKey = None,
) -> ErasureAccepted:
    """There is no way back. The address is free at once, and whoever registers it inherits nothing.

    Who erases their own account gives their `password` once more. Repeated under its `Idempotency-Key`, with
    the token that it was asked with, it is answered alike as long as that token would have held.
    """
    try:
        parts, caller = await entered(request, "anybody")
    except Unauthenticated:
        row = await _said_before(request, user_id, key)
        if row is None:
            raise
        return _answer(response, row)
    password = await _password_of(request, parts, caller, user_id)
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"", target=str(user_id))

    async def decide(event_id: UUID, account: AccountRow) -> SubjectErased:
        if password is not None:
            await _require_password(request, account, password)
        return SubjectErased(
            event_id=event_id,
            occurred_at=intent.asked_at,
            account_key=account.account_key,
            user_id=account.user_id,
            actor_id=caller.user_id,
            expected_version=account.version,
        )

    row = await settled(parts, intent, key=key, what=_WHAT, user_id=user_id, decide=decide)
    parts.identity.denials.account_ended(user_id)
    say(parts, "account_erased", user_id=str(user_id))
    return _answer(response, row)


def _answer(response: Response, row: AccountActivityRow) -> ErasureAccepted:
    link = f"/v1/erasures/{row.event_id}"
    say_position(response, place_of(row), location=link)
    return ErasureAccepted(erasure_id=row.event_id, status_url=link)


async def _password_of(request: Request, parts: Parts, caller: Caller, user_id: UUID) -> str | None:
    """The password to be checked; None where an administrator erases somebody else.

    People may erase themselves, administrators anybody; to all others nobody is there.
    """
    if caller.user_id != user_id:
        if caller.admin:
            return None
        raise NotFound
    if not caller.may("person"):
        raise refusal(caller, "person")
    await account_of(parts, caller)  # waits for what has just been registered
    return (await read_json(request, EraseUser)).password


async def _require_password(request: Request, account: AccountRow, password: str) -> None:
    """Raises WrongCredentials, and TooManyRequests for whoever guesses."""
    parts = parts_of(request)
    permit = await admit_login(parts, request, account.account_key)
    if not await is_right(parts, password, account):
        say(parts, "login_failed", user_id=str(account.user_id))
        raise WrongCredentials
    permit.give_back()


async def _said_before(request: Request, user_id: UUID, key: str | None) -> AccountActivityRow | None:
    """The erasure that this very request has brought about, if it has; its token opens nothing else now."""
    parts = parts_of(request)
    said = parts.identity.access.read(bearer_in(request.headers.get("authorization")))
    if key is None or said is None or said.user_id != user_id:
        return None
    secret = parts.settings.secrets.id_key
    scope = scope_of(secret, str(user_id), ROUTE, str(user_id), key)
    for attempt in range(ATTEMPTS):
        row = await parts.identity.accounts.by_event_id(deterministic_id(secret, scope, f"{_WHAT} {attempt}"))
        if row is not None and row.accepted:
            return row
    return None

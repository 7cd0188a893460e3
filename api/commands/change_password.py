"""ChangePassword: a person takes another password, and all their other sessions end."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from adapters.sealing import seal_text
from api.bodies import read_json
from api.commands.answers import no_content
from api.commands.verdicts import key_or_fresh, place_of, settled
from api.identity_problems import WrongCredentials
from api.intent import IdempotencyKey, Intent, begin
from api.limits.doors import admit_login
from api.openapi import json_request, problems
from api.parts import Parts
from api.passwords import Password, hashed, is_right, require_good_password
from api.persons import own_account, person
from api.problems import KeyReused, invalid
from api.security_events import say
from projections.accounts.queries import AccountRow
from schemas.events import PasswordChanged

ROUTE: Final = "/v1/auth/password"
router = APIRouter()


class ChangePassword(BaseModel):
    """The password that holds, and the one that is to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old: Password
    new: Password


@router.post(
    ROUTE,
    status_code=204,
    summary="Change your password",
    response_description="The new password holds; your other sessions have ended.",
    tags=["accounts"],
    responses=problems(401, 403, 408, 409, 413, 415, 422, 503),
    openapi_extra=json_request(ChangePassword, "person"),
)
async def change_password(request: Request, key: IdempotencyKey = None) -> Response:
    """Needs the old one. The session that changes it goes on, all others end; API keys stay."""
    parts, caller, access = await person(request)
    body = await read_json(request, ChangePassword)
    account = await own_account(parts, caller)
    key = key_or_fresh(key)
    # What was said is not made part of the request's hash: a fast hash of a password must stand nowhere.
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"")

    async def decide(event_id: UUID, account: AccountRow) -> PasswordChanged:
        return await _decided(parts, request, intent, event_id, account, body, keep=access.session_id)

    row = await settled(parts, intent, key=key, what="password", user_id=account.user_id, decide=decide)
    now = await own_account(parts, caller)
    if now.version == row.version and not await is_right(parts, body.new, now):
        raise KeyReused
    say(parts, "password_changed", user_id=str(account.user_id))
    return no_content(place_of(row))


async def _decided(
    parts: Parts,
    request: Request,
    intent: Intent,
    event_id: UUID,
    account: AccountRow,
    body: ChangePassword,
    *,
    keep: UUID,
) -> PasswordChanged:
    """Raises WrongCredentials, Invalid, TooManyRequests."""
    permit = await admit_login(parts, request, account.account_key)
    if not await is_right(parts, body.old, account):
        say(parts, "login_failed", user_id=str(account.user_id))
        raise WrongCredentials
    permit.give_back()
    if body.new == body.old:
        raise invalid("body.new", "is the old one")
    await require_good_password(parts, body.new, about=account.address or "", location="body.new")
    return PasswordChanged(
        event_id=event_id,
        occurred_at=intent.asked_at,
        account_key=account.account_key,
        user_id=account.user_id,
        actor_id=intent.caller.user_id,
        expected_version=account.version,
        request_hash=intent.request_hash,
        sealed_password_hash=seal_text(
            parts.keys,
            user_id=account.user_id,
            key_id=intent.data_key_id,
            field="sealed_password_hash",
            text=await hashed(parts, body.new),
        ),
        keep_session_id=keep,
        code="changed",
    )

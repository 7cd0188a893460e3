"""Register: somebody wants an account for their address; the log decides whose it is."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from adapters.account_keys import Address
from adapters.sealing import seal_text
from api.bodies import read_json
from api.commands.signing_in import Entry, SignedIn, signed_in, start_session
from api.commands.verdicts import heard, require_projecting
from api.identity_problems import AddressTaken
from api.intent import IdempotencyKey, data_key_of
from api.limits.doors import admit_login, admit_registration
from api.openapi import json_request, problems
from api.parts import Parts, parts_of
from api.passwords import Email, Password, address_of, hashed, is_right, require_good_password
from api.problems import KeyReused
from api.security_events import say
from projections.accounts.queries import AccountRow
from schemas.events import UserRegistered
from schemas.identity import user_id_of

ROUTE: Final = "/v1/auth/register"
router = APIRouter()


class Register(BaseModel):
    """An address and a password to go with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: Email
    password: Password


@router.post(
    ROUTE,
    status_code=201,
    summary="Register",
    response_description="The account is yours, and you are logged in.",
    tags=["accounts"],
    responses=problems(408, 409, 413, 415, 422, 503),
    openapi_extra=json_request(Register, None),
)
async def register(request: Request, response: Response, key: IdempotencyKey = None) -> SignedIn:
    """Makes an account and logs in. 409: there is one with this address.

    With the header `Darkroom-Session: cookie` the refresh token becomes a cookie that no script can read.
    """
    parts = parts_of(request)
    body = await read_json(request, Register)
    address = address_of(body.email)
    await admit_registration(parts, request)
    account_key = parts.identity.key_of(address)
    entry = Entry.of(parts, account_key=account_key, route=ROUTE, key=key)
    account = await _account(request, entry, address, body.password)
    session = await start_session(parts, entry, account, "register")
    say(parts, "account_registered", user_id=str(account.user_id))
    return signed_in(parts, request, response, account, session)


async def _account(request: Request, entry: Entry, address: Address, password: str) -> AccountRow:
    """The account that this very request made, now or before; raises AddressTaken where another did."""
    parts = parts_of(request)
    event_id = entry.new_id("registered")
    account, password_hash = await parts.identity.accounts.by_key(entry.account_key), None
    if account is None:
        require_projecting(parts, entry.account_key)
        await require_good_password(parts, password, about=address.shown, location="body.password")
        password_hash = await hashed(parts, password)
        account = await _registered(parts, entry, event_id, address, password_hash)
    if account is None or account.user_id != user_id_of(event_id):
        raise AddressTaken
    # Of several requests under one key the log took one: the others must have said the same.
    if account.password_hash != password_hash:
        permit = await admit_login(parts, request, entry.account_key)
        if not await is_right(parts, password, account):
            raise KeyReused
        permit.give_back()
    return account


async def _registered(
    parts: Parts, entry: Entry, event_id: UUID, address: Address, password_hash: str
) -> AccountRow | None:
    """Says it, and waits for the log's word: whose the address is now."""
    user_id = user_id_of(event_id)
    key_id = await data_key_of(parts, user_id)
    event = UserRegistered(
        event_id=event_id,
        occurred_at=entry.asked_at,
        account_key=entry.account_key,
        user_id=user_id,
        actor_id=user_id,
        role="user",
        sealed_address=seal_text(
            parts.keys, user_id=user_id, key_id=key_id, field="sealed_address", text=address.shown
        ),
        sealed_password_hash=seal_text(
            parts.keys, user_id=user_id, key_id=key_id, field="sealed_password_hash", text=password_hash
        ),
        data_key_id=key_id,
    )
    await heard(parts, event, entry.key)
    return await parts.identity.accounts.by_key(entry.account_key)

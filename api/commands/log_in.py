"""LogIn: somebody shows that an account is theirs."""

from typing import Final

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from adapters.account_keys import InvalidAddress, read_address
from adapters.clock import new_id
from adapters.event_log import AppendFailed
from adapters.sealing import seal_text
from adapters.subject_keys import KeyTrouble
from api.bodies import read_json
from api.commands.end_session import end_oldest
from api.commands.signing_in import Entry, SignedIn, signed_in, start_session
from api.commands.verdicts import require_projecting
from api.identity_problems import WrongCredentials
from api.intent import IdempotencyKey
from api.limits.doors import admit_login
from api.openapi import json_request, problems
from api.origin import metadata
from api.parts import Parts, parts_of
from api.passwords import Email, Password, checked
from api.security_events import say
from projections.accounts.queries import AccountRow
from schemas.events import PasswordChanged

ROUTE: Final = "/v1/auth/login"
router = APIRouter()
log = structlog.get_logger(__name__)


class LogIn(BaseModel):
    """An address and its password."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: Email
    password: Password


@router.post(
    ROUTE,
    summary="Log in",
    response_description="You are logged in.",
    tags=["accounts"],
    responses=problems(401, 408, 413, 415, 422, 503),
    openapi_extra=json_request(LogIn, None),
)
async def log_in(request: Request, response: Response, key: IdempotencyKey = None) -> SignedIn:
    """Begins a session. 401 says neither whether the address is known nor whether the password was close.

    With the header `Darkroom-Session: cookie` the refresh token becomes a cookie that no script can read.
    """
    parts = parts_of(request)
    body = await read_json(request, LogIn)
    account_key = _account_key(parts, body.email)
    permit = await admit_login(parts, request, account_key)
    account = await parts.identity.accounts.by_key(account_key)
    found = await checked(parts, body.password, account.password_hash if account is not None else None)
    if account is None:
        require_projecting(parts, account_key)  # rows that are being made anew tell nobody apart
    if account is None or not found.right:
        say(parts, "login_failed", user_id=str(account.user_id) if account is not None else None)
        raise WrongCredentials
    permit.give_back()
    if found.fresh is not None:
        await _keep_fresh_hash(parts, account, found.fresh)
    entry = Entry.of(parts, account_key=account_key, route=ROUTE, key=key)
    await end_oldest(parts, account)
    session = await start_session(parts, entry, account, "login")
    say(parts, "login_succeeded", user_id=str(account.user_id))
    return signed_in(parts, request, response, account, session)


def _account_key(parts: Parts, email: str) -> str:
    """Of what is no address too: nobody has it, and finding that out takes as long as for one that is."""
    try:
        return parts.identity.key_of(read_address(email))
    except InvalidAddress:
        return parts.identity.key_of_no_address(email)


async def _keep_fresh_hash(parts: Parts, account: AccountRow, fresh: str) -> None:
    """The same password, hashed as we do it now. Failing at that fails nobody's login."""
    try:
        key_id = await parts.keys.data_key(account.user_id)
        event = PasswordChanged(
            event_id=new_id(),
            occurred_at=parts.clock.now(),
            account_key=account.account_key,
            user_id=account.user_id,
            actor_id=account.user_id,
            expected_version=account.version,
            sealed_password_hash=seal_text(
                parts.keys, user_id=account.user_id, key_id=key_id, field="sealed_password_hash", text=fresh
            ),
            code="rehashed",
        )
        await parts.log.append(event, metadata())
    except (AppendFailed, KeyTrouble) as error:
        log.warning("hash_not_renewed", error=type(error).__name__)

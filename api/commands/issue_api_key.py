"""IssueApiKey: a person lets a program act for them, within scopes."""

import contextlib
import hashlib
import hmac
import json
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from adapters.sealing import seal_text
from api.bodies import read_json
from api.commands.answers import say_position
from api.commands.verdicts import append_under, key_or_fresh
from api.credentials.key_texts import KeyText, key_from
from api.identity_problems import TooManyKeys
from api.intent import IdempotencyKey, Intent, begin
from api.moments import Moment
from api.openapi import json_request, problems
from api.parts import Parts
from api.persons import own_account, person
from api.problems import invalid
from api.security_events import say
from api.words import Text
from projections.accounts.queries import AccountRow
from projections.waiting import NotYetApplied
from schemas.events import ApiKeyIssued
from schemas.identity import Scope

ROUTE: Final = "/v1/api-keys"
MOST_KEYS: Final = 100
router = APIRouter()


def _each_once(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    return tuple(sorted(set(scopes)))


class IssueApiKey(BaseModel):
    """What the key is for, what it may do, and until when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=200, examples=["nightly backup"])]
    scopes: Annotated[
        tuple[Scope, ...],
        Field(min_length=1, max_length=20, examples=[["assets:read", "assets:write"]]),
        AfterValidator(_each_once),
    ]
    expires_at: Annotated[
        Moment | None,
        Field(description="For good where left out.", examples=["2027-01-01T00:00:00Z"]),
    ] = None


class ApiKeyIssuedAnswer(BaseModel):
    """A key; its text is shown this once."""

    model_config = ConfigDict(frozen=True, title="IssuedApiKey")

    id: UUID
    key: Annotated[
        str, Field(description="Shown once. Send it as a bearer token.", examples=["drk_mfrggzdf_…"])
    ]
    prefix: Annotated[str, Field(description="By which you know it again.", examples=["mfrggzdf"])]
    name: Annotated[str, Field(examples=["nightly backup"])]
    scopes: Annotated[tuple[Scope, ...], Field(examples=[["assets:read"]])]
    created_at: datetime
    expires_at: datetime | None


@router.post(
    ROUTE,
    status_code=201,
    summary="Issue an API key",
    response_description="The key, shown once.",
    tags=["api keys"],
    responses=problems(401, 403, 408, 409, 413, 415, 422, 503),
    openapi_extra=json_request(IssueApiKey, "person"),
)
async def issue_api_key(
    request: Request, response: Response, key: IdempotencyKey = None
) -> ApiKeyIssuedAnswer:
    """A key acts for you within its scopes; it can't issue keys, nor change your password or sessions."""
    parts, caller, _ = await person(request)
    body = await read_json(request, IssueApiKey)
    if "admin" in body.scopes and not caller.admin:
        raise invalid("body.scopes", "hold admin, which your role does not allow")
    if body.expires_at is not None and body.expires_at <= parts.clock.now():
        raise invalid("body.expires_at", "has passed")
    account = await own_account(parts, caller)
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=_said(body))
    event, text = decide(body, intent, account, sealed_name=_sealed_name(parts, intent, body))
    await _require_room(parts, event)
    position = await append_under(parts, event, key)
    say(parts, "api_key_issued", key_id=str(event.key_id), user_id=str(event.user_id))
    with contextlib.suppress(NotYetApplied):  # it is issued; this is only so that it can be used at once
        await parts.reads.wait_for(position, parts.settings.identity.verdict_wait.total_seconds())
    say_position(response, position)
    response.headers["Cache-Control"] = "no-store"
    return ApiKeyIssuedAnswer(
        id=event.key_id,
        key=text.text(),
        prefix=event.prefix,
        name=body.name,
        scopes=body.scopes,
        created_at=event.occurred_at,
        expires_at=event.expires_at,
    )


def decide(
    body: IssueApiKey, intent: Intent, account: AccountRow, *, sealed_name: bytes
) -> tuple[ApiKeyIssued, KeyText]:
    """The event, and the key's text; under one Idempotency-Key both are always the same."""
    random = hmac.digest(intent.secret, (intent.scope or b"") + b"api-key", hashlib.sha512)
    text = key_from(random)
    event = ApiKeyIssued(
        event_id=intent.new_id("key-issued"),
        occurred_at=intent.asked_at,
        account_key=account.account_key,
        user_id=account.user_id,
        actor_id=intent.caller.user_id,
        request_hash=intent.request_hash,
        key_id=intent.new_id("key"),
        prefix=text.prefix,
        hash=text.hash,
        scopes=body.scopes,
        sealed_name=sealed_name,
        expires_at=body.expires_at,
    )
    return event, text


async def _require_room(parts: Parts, event: ApiKeyIssued) -> None:
    held = await parts.identity.accounts.keys_of(event.user_id, MOST_KEYS)
    if len(held) >= MOST_KEYS and all(one.key_id != event.key_id for one in held):
        raise TooManyKeys(f"At most {MOST_KEYS} API keys may be in use.")


def _sealed_name(parts: Parts, intent: Intent, body: IssueApiKey) -> bytes:
    return seal_text(
        parts.keys,
        user_id=intent.caller.user_id,
        key_id=intent.data_key_id,
        field="sealed_name",
        text=body.name,
    )


def _said(body: IssueApiKey) -> bytes:
    return json.dumps(body.model_dump(mode="json"), sort_keys=True).encode()

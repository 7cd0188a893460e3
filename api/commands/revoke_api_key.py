"""RevokeApiKey: a person takes a key back."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from adapters.owners import deterministic_id
from api.access import entering
from api.commands.answers import no_content
from api.commands.verdicts import said_once
from api.intent import IdempotencyKey
from api.openapi import problems
from api.persons import own_account, person
from api.problems import NotFound
from api.security_events import say
from schemas.events import ApiKeyRevoked

ROUTE: Final = "/v1/api-keys/{key_id}"
router = APIRouter()


@router.delete(
    ROUTE,
    status_code=204,
    summary="Revoke an API key",
    response_description="It is worth nothing any more.",
    tags=["api keys"],
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=entering("person"),
)
async def revoke_api_key(
    request: Request,
    key_id: Annotated[UUID, Path(description="A key of yours.")],
    key: IdempotencyKey = None,
) -> Response:
    """It is refused within a second. It is the same however often it is asked."""
    del key
    parts, caller, _ = await person(request)
    account = await own_account(parts, caller)
    held = await parts.identity.accounts.key_of(user_id=caller.user_id, key_id=key_id)
    if held is None:
        raise NotFound
    secret = parts.settings.secrets.id_key
    now = parts.clock.now()
    event = ApiKeyRevoked(
        event_id=deterministic_id(secret, "key-revoked", key_id.bytes),
        occurred_at=now,
        account_key=account.account_key,
        user_id=account.user_id,
        actor_id=caller.user_id,
        key_id=key_id,
    )
    position = await said_once(parts, event)
    parts.identity.denials.key_ended(key_id)
    say(parts, "api_key_revoked", key_id=str(key_id), user_id=str(account.user_id))
    return no_content(position)

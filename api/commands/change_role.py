"""ChangeRole: an administrator says what somebody may do."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered
from api.bodies import read_json
from api.commands.answers import say_position
from api.commands.verdicts import key_or_fresh, place_of, settled
from api.intent import IdempotencyKey, begin
from api.openapi import json_request, problems
from api.problems import NotFound
from api.security_events import say
from api.user_shapes import User, user_shape
from projections.accounts.queries import AccountRow
from schemas.events import RoleChanged
from schemas.identity import Role

ROUTE: Final = "/v1/users/{user_id}"
router = APIRouter()


class ChangeRole(BaseModel):
    """What somebody may do from now on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Annotated[Role, Field(examples=["admin"])]


@router.patch(
    ROUTE,
    summary="Change somebody's role",
    response_description="The account as it is now.",
    tags=["users"],
    responses=problems(401, 403, 404, 408, 409, 413, 415, 422, 503),
    openapi_extra=json_request(ChangeRole, "admin"),
)
async def change_role(
    request: Request,
    response: Response,
    user_id: Annotated[UUID, Path(description="Somebody's id.")],
    key: IdempotencyKey = None,
) -> User:
    """For administrators. Tokens that say the old role are refused within a second; sessions go on."""
    parts, caller = await entered(request, "admin")
    body = await read_json(request, ChangeRole)
    account = await parts.identity.accounts.by_user(user_id)
    if account is None:
        raise NotFound
    if account.role == body.role and key is None:
        return user_shape(account)
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=body.role.encode(), target=str(user_id))

    async def decide(event_id: UUID, account: AccountRow) -> RoleChanged:
        return RoleChanged(
            event_id=event_id,
            occurred_at=intent.asked_at,
            account_key=account.account_key,
            user_id=account.user_id,
            actor_id=caller.user_id,
            expected_version=account.version,
            request_hash=intent.request_hash,
            role=body.role,
        )

    row = await settled(parts, intent, key=key, what="role", user_id=user_id, decide=decide)
    say(parts, "role_changed", user_id=str(user_id), role=body.role)
    say_position(response, place_of(row))
    account = await parts.identity.accounts.by_user(user_id)
    if account is None:
        raise NotFound
    return user_shape(account)

"""EraseUser: a person is to be forgotten; their account ends here, and what is left goes afterwards."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered, entering, refusal
from api.caller import Caller
from api.commands.answers import say_position
from api.commands.verdicts import key_or_fresh, settled
from api.intent import IdempotencyKey, begin
from api.openapi import problems
from api.parts import Parts
from api.persons import account_of
from api.problems import NotFound
from api.security_events import say
from projections.accounts.queries import AccountRow
from schemas.events import SubjectErased
from schemas.positions import Position

ROUTE: Final = "/v1/users/{user_id}"
router = APIRouter()


class ErasureAccepted(BaseModel):
    """It is decided, and goes on by itself."""

    model_config = ConfigDict(frozen=True)

    erasure_id: Annotated[UUID, Field(description="Keep it: it is all by which you can ask how far it is.")]
    status_url: Annotated[
        str, Field(examples=["/v1/erasures/0199a8e4-7c1d-8b6e-9f00-2f5a6f1f8e11?after=ZGF"])
    ]


@router.delete(
    ROUTE,
    status_code=202,
    summary="Erase an account and everything of its person",
    response_description="The account has ended; the rest goes on by itself.",
    tags=["users"],
    responses=problems(401, 403, 404, 409, 422, 503),
    openapi_extra=entering("anybody"),
)
async def erase_user(
    request: Request,
    response: Response,
    user_id: Annotated[UUID, Path(description="Your own id; for administrators, anybody's.")],
    key: IdempotencyKey = None,
) -> ErasureAccepted:
    """There is no way back. The address is free at once, and whoever registers it inherits nothing."""
    parts, caller = await entered(request, "anybody")
    await _require_right(parts, caller, user_id)
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"", target=str(user_id))

    async def decide(event_id: UUID, account: AccountRow) -> SubjectErased:
        return SubjectErased(
            event_id=event_id,
            occurred_at=intent.asked_at,
            account_key=account.account_key,
            user_id=account.user_id,
            actor_id=caller.user_id,
            expected_version=account.version,
        )

    row = await settled(parts, intent, key=key, what="erasure", user_id=user_id, decide=decide)
    parts.identity.denials.account_ended(user_id)
    say(parts, "account_erased", user_id=str(user_id))
    position = Position(topic=row.topic, partition=row.partition, offset=row.offset)
    link = f"/v1/erasures/{row.event_id}?after={position.token()}"
    say_position(response, position, location=link)
    return ErasureAccepted(erasure_id=row.event_id, status_url=link)


async def _require_right(parts: Parts, caller: Caller, user_id: UUID) -> None:
    """People may erase themselves, administrators anybody; to all others nobody is there."""
    if caller.admin:
        return
    if caller.user_id != user_id:
        raise NotFound
    if not caller.may("person"):
        raise refusal(caller, "person")
    await account_of(parts, caller)  # waits for what has just been registered

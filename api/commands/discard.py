"""Discard: what was given up stays so, and whoever waited behind it goes on."""

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.commands.answers import no_content
from api.intent import IdempotencyKey
from api.job_problems import NothingWaits
from api.letters import discard_id, discard_of
from api.openapi import problems
from api.origin import metadata
from api.queries.dead_letters import one_letter

ROUTE: Final = "/v1/dead-letters/{letter_id}"
router = APIRouter()
log = structlog.get_logger(__name__)


@router.delete(
    ROUTE,
    status_code=204,
    summary="Discard a dead letter",
    response_description="Its record is left out from now on, and in every replay.",
    tags=["jobs"],
    responses=problems(401, 403, 404, 409, 422, 503),
    openapi_extra=entering("admin"),
)
async def discard(
    request: Request,
    letter_id: Annotated[str, Path(max_length=40, description="As a list gives it.")],
    key: IdempotencyKey = None,
) -> Response:
    """For administrators. It is an event in the record's own log: read models leave the record out, and fold
    what waited behind it. A worker's letter is closed. 409: nothing hangs on it. Repeats are harmless.
    """
    del key  # the event's id is made of the record
    parts, caller = await entered(request, "admin")
    standing = await one_letter(parts, letter_id)
    event = discard_of(
        standing.letter,
        parts.settings.kafka.topics,
        event_id=discard_id(standing.letter, parts.settings.secrets.id_key),
        now=parts.clock.now(),
        actor_id=caller.user_id,
    )
    if standing.state == "over" or event is None:
        raise NothingWaits
    position = await parts.log.append(event, metadata())
    log.warning("record_discarded", letter=letter_id)
    return no_content(position)

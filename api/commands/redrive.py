"""Redrive: what was given up is done again, in order, from where it stands."""

from typing import Annotated, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.commands.answers import job_asked
from api.intent import IdempotencyKey
from api.job_problems import NothingWaits, NotRedrivable, RedrivesSpent
from api.letter_shapes import Redriven
from api.letters import Standing, asset_of, cause_of, redrive_of
from api.openapi import problems
from api.origin import metadata
from api.parts import Parts
from api.queries.dead_letters import one_letter
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.events import VariantsRequested

ROUTE: Final = "/v1/dead-letters/{letter_id}/redrive"
router = APIRouter()
log = structlog.get_logger(__name__)


@router.post(
    ROUTE,
    status_code=202,
    summary="Redrive a dead letter",
    response_description="It is being done again.",
    tags=["jobs"],
    responses=problems(401, 403, 404, 409, 422, 503),
    openapi_extra=entering("admin"),
)
async def redrive(
    request: Request,
    response: Response,
    letter_id: Annotated[str, Path(max_length=40, description="As a list gives it.")],
    key: IdempotencyKey = None,
) -> Redriven:
    """For administrators. Records that were set aside are read again in their order; work that a worker gave
    up is asked for as a new job. 409: nothing hangs on it, or it failed so often again. Repeats are harmless.
    """
    del key  # ids are made of the letter and the round
    parts, caller = await entered(request, "admin")
    standing = await one_letter(parts, letter_id)
    if standing.held is not None:
        await parts.work.ask_redrive(standing.held, parts.clock.now())
        log.warning("redrive_asked", letter=letter_id)
        return Redriven(records=standing.held.waiting, job=None)
    if standing.state == "over":
        raise NothingWaits
    event = await _request(parts, standing, caller.user_id)
    position = await parts.log.append(event, metadata(causation_id=cause_of(standing.letter)))
    log.warning("redrive_asked", letter=letter_id)
    return Redriven(records=None, job=job_asked(response, event.asset_id, event.job_id, position))


async def _request(parts: Parts, standing: Standing, actor_id: UUID) -> VariantsRequested:
    """Raises NotRedrivable, RedrivesSpent."""
    asset_id = asset_of(standing.letter)
    if asset_id is None or await parts.work.original(asset_id) is None:
        raise NotRedrivable  # in the trash, or gone: the log would not let it count
    rounds = await parts.work.redrive_rounds(asset_id)
    if rounds >= parts.settings.limits.redrives:
        raise RedrivesSpent
    now, secret = parts.clock.now(), parts.settings.secrets.id_key
    try:
        event = redrive_of(
            standing.letter, parts.codec.decode, secret, rounds=rounds, now=now, actor_id=actor_id
        )
    except (DecodeError, UnknownEventType) as error:
        raise NotRedrivable from error
    if event is None:
        raise NotRedrivable
    return event

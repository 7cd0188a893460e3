"""ResumeWorkers: who stopped taking work for too many dead letters is told to go on."""

from datetime import datetime
from typing import Annotated, Final, Literal, get_args
from uuid import UUID

import structlog
from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.commands.answers import say_position
from api.intent import IdempotencyKey, begin
from api.openapi import problems
from api.origin import metadata
from api.problems import NotFound
from api.representations import Shape
from schemas.events import WorkersResumed

Stoppable = Literal["variants", "purge", "projector"]
"""Who stops for too many dead letters: variants is the workers of both lanes."""

STOPPABLE: Final[tuple[Stoppable, ...]] = get_args(Stoppable)
ROUTE: Final = "/v1/workers/{component}/resume"

router = APIRouter()
log = structlog.get_logger(__name__)


class WorkersTold(Shape):
    """Who is told to go on."""

    component: str


@router.post(
    ROUTE,
    status_code=202,
    summary="Let workers go on that stopped for too many dead letters",
    response_description="They are told; `/readyz` of each says when it goes on.",
    tags=["jobs"],
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=entering("admin"),
)
async def resume_workers(
    request: Request,
    response: Response,
    component: Annotated[
        str, Path(max_length=40, description="variants, purge or projector.", examples=["variants"])
    ],
    key: IdempotencyKey = None,
) -> WorkersTold:
    """For administrators. Every process of the component hears it and counts anew; who had not stopped goes
    on as before. 404: no component of this name ever stops.
    """
    parts, caller = await entered(request, "admin")
    if component not in STOPPABLE:
        raise NotFound
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"", target=component)
    event = decide(component, intent.new_id("resumed"), now=intent.asked_at, actor_id=caller.user_id)
    position = await parts.log.append(event, metadata())
    log.warning("workers_resumed", component=component)
    say_position(response, position)
    return WorkersTold(component=component)


def decide(component: str, event_id: UUID, *, now: datetime, actor_id: UUID) -> WorkersResumed:
    """The event that each of them hears."""
    return WorkersResumed(event_id=event_id, occurred_at=now, component=component, actor_id=actor_id)

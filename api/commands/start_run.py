"""StartRun: variants of many assets are asked for again, a bounded number at a time."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered, refusal
from api.bodies import read_json
from api.caller import Caller
from api.commands.answers import say_position
from api.commands.completion import active_preset_set
from api.intent import IdempotencyKey, Intent, begin
from api.openapi import json_request, problems
from api.origin import metadata
from api.parts import Parts
from api.queries.runs import RUNS
from api.run_problems import RunUnderWay
from api.run_shapes import RunAccepted, RunFilter
from schemas.events import RunStarted

# Of one person's newest runs so many are looked at for one that is not over.
_LOOKED_AT: Final = 5

router = APIRouter()


class StartRun(BaseModel):
    """What to do, and to which assets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[Literal["regenerate"], Field(description="Make the variants of the active preset set.")]
    filter: RunFilter = RunFilter()
    everybody: Annotated[bool, Field(description="For administrators: everybody's assets.")] = False


@router.post(
    RUNS,
    status_code=202,
    summary="Start a run",
    response_description="The run has begun; follow it.",
    tags=["runs"],
    responses=problems(401, 403, 408, 409, 413, 415, 422, 503),
    openapi_extra=json_request(StartRun, "assets:write"),
)
async def start_run(request: Request, response: Response, key: IdempotencyKey = None) -> RunAccepted:
    """Works in the bulk lane: no upload waits for it. One run at a time over one's own assets.

    What the active preset set and the programs of today would make no differently is not made again.
    """
    parts, caller = await entered(request, "assets:write")
    body = await read_json(request, StartRun)
    if body.everybody and not caller.admin:
        raise refusal(caller, "admin")
    preset_set = active_preset_set(parts)
    said = body.model_dump_json().encode()
    intent = await begin(parts, caller, route=RUNS, key=key, said=said)
    event = decide(body, intent, preset_set=preset_set, now=intent.asked_at)
    await _one_at_a_time(parts, caller, event)
    position = await parts.log.append(event, metadata())
    status_url = f"{RUNS}/{event.run_id}?after={position.token()}"
    say_position(response, position, location=status_url)
    return RunAccepted(run_id=event.run_id, status_url=status_url)


def decide(body: StartRun, intent: Intent, *, preset_set: str, now: datetime) -> RunStarted:
    """The event that starts the run; under one key always the same run."""
    return RunStarted(
        event_id=intent.new_id("started"),
        occurred_at=now,
        run_id=intent.new_id("run"),
        actor_id=intent.caller.user_id,
        request_hash=intent.request_hash,
        kind=body.kind,
        filter=body.filter.selection().to_json(),
        preset_set=preset_set,
        owner_id=None if body.everybody else intent.caller.user_id,
    )


async def _one_at_a_time(parts: Parts, caller: Caller, event: RunStarted) -> None:
    """Raises RunUnderWay where another run over the caller's own assets is open; never for everybody's."""
    if event.owner_id is None:
        return
    rows = await parts.runs.page(owner_id=caller.user_id, limit=_LOOKED_AT, before=None)
    others: set[UUID] = {row.run_id for row in rows if row.ended_at is None} - {event.run_id}
    if others:
        raise RunUnderWay

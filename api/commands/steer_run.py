"""SteerRun: a run pauses, goes on, or asks for nothing more."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import entered, entering
from api.commands.answers import say_position
from api.commands.verdicts import ATTEMPTS, heard, key_or_fresh
from api.identity_problems import ProjectorAway
from api.intent import IdempotencyKey, Intent, begin
from api.openapi import problems
from api.parts import Parts
from api.queries.runs import RUNS, RunId, own_run, shown
from api.run_problems import RunChanged, RunOver
from api.run_shapes import Run
from projections.runs.queries import RunRow
from schemas.events import RunCancelled, RunPaused, RunResumed
from schemas.positions import Position

ROUTE: Final = RUNS + "/{run_id}/{step}"
_PARTITION: Final = 0

Step = Literal["pause", "resume", "cancel"]
_EVENTS: Final[Mapping[Step, type[RunPaused | RunResumed | RunCancelled]]] = {
    "pause": RunPaused,
    "resume": RunResumed,
    "cancel": RunCancelled,
}
_LEADS_TO: Final[Mapping[Step, str]] = {"pause": "paused", "resume": "running", "cancel": "cancelled"}

router = APIRouter()


@router.post(
    ROUTE,
    summary="Pause, resume or cancel a run",
    response_description="The run as it is now.",
    tags=["runs"],
    responses=problems(401, 403, 404, 409, 422, 503),
    openapi_extra=entering("assets:write"),
)
async def steer_run(
    request: Request,
    response: Response,
    run_id: RunId,
    step: Annotated[Step, Path(description="What is to become of it.")],
    key: IdempotencyKey = None,
) -> Run:
    """What it has asked for already is done in any case: at most `RUNS_OUTSTANDING` jobs.

    A run that is there already is answered as it is, and so is one that was steered under this key before.
    409: it is over, or others steer it at the same time.
    """
    parts, caller = await entered(request, "assets:write")
    row = await own_run(parts, caller, run_id)
    key = key_or_fresh(key)
    intent = await begin(parts, caller, route=ROUTE, key=key, said=b"", target=f"{run_id}/{step}")
    events = [intent.new_id(f"{step} {attempt}") for attempt in range(ATTEMPTS)]
    for event_id in events:
        if _done(row, step, events):
            return await shown(parts, row)
        if row.ended_at is not None:
            raise RunOver
        event = decide(row, step, intent, event_id=event_id)
        say_position(response, await _said(parts, event, key))
        row = await own_run(parts, caller, run_id)
    if _done(row, step, events):
        return await shown(parts, row)
    raise RunChanged


def _done(row: RunRow, step: Step, events: Sequence[UUID]) -> bool:
    """Whether the run stands where the step leads, or stood there by one of these events."""
    return row.status == _LEADS_TO[step] or not set(events).isdisjoint(row.steered)


def decide(
    row: RunRow, step: Step, intent: Intent, *, event_id: UUID
) -> RunPaused | RunResumed | RunCancelled:
    """The event that takes the step, decided on the version that the run has."""
    return _EVENTS[step](
        event_id=event_id,
        occurred_at=intent.asked_at,
        run_id=row.run_id,
        actor_id=intent.caller.user_id,
        expected_version=row.version,
        request_hash=intent.request_hash,
    )


async def _said(parts: Parts, event: RunPaused | RunResumed | RunCancelled, key: str) -> Position:
    """Appends, and returns once the read models have heard it."""
    if not parts.reads.projecting(parts.settings.kafka.topics.operations, _PARTITION):
        raise ProjectorAway
    return await heard(parts, event, key)

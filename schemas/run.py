"""A run over many assets: a pure, total fold over its events, deaf to repeats."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, assert_never
from uuid import UUID

from schemas.events import (
    RunCancelled,
    RunCompleted,
    RunCounts,
    RunEvent,
    RunPaused,
    RunResumed,
    RunStarted,
)

RunStatus = Literal["running", "paused", "cancelled", "completed"]

STEPS_KEPT: Final = 64
"""So many of the last steps of a run are known by their events: whoever repeats one later steers again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """One run; `version` counts the accepted events that steer it, from 1.

    `ended_at` is when it was cancelled or complete. `counts` stand once all that it asked for has ended.
    `steered` are the ids of the last events that steered it, oldest first.
    """

    run_id: UUID
    kind: str
    filter: str
    preset_set: str | None
    owner_id: UUID | None
    actor_id: UUID | None
    status: RunStatus
    version: int
    started_at: datetime
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    counts: RunCounts | None = None
    steered: tuple[UUID, ...] = ()


def evolve(state: RunState | None, event: RunEvent) -> RunState | None:
    """The run after `event`: the very same object where the event has no part in it."""
    if state is None:
        return _started(event) if isinstance(event, RunStarted) else None
    if event.run_id != state.run_id:
        return state
    match event:
        case RunStarted():
            return state
        case RunPaused() | RunResumed():
            return _steered(state, event)
        case RunCancelled():
            return _cancelled(state, event)
        case RunCompleted():
            return _completed(state, event)
        case _:
            assert_never(event)


def _started(event: RunStarted) -> RunState:
    return RunState(
        run_id=event.run_id,
        kind=event.kind,
        filter=event.filter,
        preset_set=event.preset_set,
        owner_id=event.owner_id,
        actor_id=event.actor_id,
        status="running",
        version=1,
        started_at=event.occurred_at,
    )


def _steered(state: RunState, event: RunPaused | RunResumed) -> RunState:
    """Never without a version: a repeat that names none would steer again."""
    pauses = isinstance(event, RunPaused)
    if event.expected_version != state.version or state.status != ("running" if pauses else "paused"):
        return state
    return replace(
        state,
        status="paused" if pauses else "running",
        paused_at=event.occurred_at if pauses else None,
        version=state.version + 1,
        steered=_with(state, event.event_id),
    )


def _cancelled(state: RunState, event: RunCancelled) -> RunState:
    if state.ended_at is not None or event.expected_version not in {None, state.version}:
        return state
    return replace(
        state,
        status="cancelled",
        ended_at=event.occurred_at,
        version=state.version + 1,
        steered=_with(state, event.event_id),
    )


def _with(state: RunState, event_id: UUID) -> tuple[UUID, ...]:
    return (*state.steered, event_id)[-STEPS_KEPT:]


def _completed(state: RunState, event: RunCompleted) -> RunState:
    """The first counts stand; a run that was cancelled stays so."""
    if state.counts is not None:
        return state
    if state.ended_at is not None:
        return replace(state, counts=event.counts)
    return replace(state, status="completed", ended_at=event.occurred_at, counts=event.counts)

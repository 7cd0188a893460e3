"""Runs as the doors take and show them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.media_types import ACCEPTED
from api.moments import Moment
from api.representations import StatusWord
from projections.assets.originals import Selection
from projections.runs.queries import RunRow
from schemas.codes import RUN_KINDS
from schemas.run import RunStatus

LARGEST_LIST: Final = 500
"""Assets that one filter may name; more would not fit into an event."""

_CONFIG: Final = ConfigDict(frozen=True, extra="forbid")


class RunFilter(BaseModel):
    """Which assets: those that meet every condition that is given; none means all."""

    model_config = _CONFIG

    asset_ids: Annotated[tuple[UUID, ...], Field(max_length=LARGEST_LIST)] = ()
    status: Annotated[tuple[StatusWord, ...], Field(max_length=10)] = ()
    content_type: Annotated[
        tuple[Annotated[str, Field(json_schema_extra={"enum": sorted(ACCEPTED)})], ...],
        Field(max_length=10),
    ] = ()
    since: Annotated[Moment | None, Field(description="Uploaded then or later.")] = None
    until: Annotated[Moment | None, Field(description="Uploaded before.")] = None

    def selection(self) -> Selection:
        """What the run's filter says in the log."""
        return Selection(
            asset_ids=self.asset_ids,
            statuses=self.status,
            content_types=self.content_type,
            since=self.since,
            until=self.until,
        )


class RunCounts(BaseModel):
    """How far a run is, in assets.

    `waiting` were not asked for yet (null in lists, where nobody counts them), `requested` were; of these
    `queued` and `active` are under way. `skipped` kept changing when they were asked for; known at the end.
    """

    model_config = ConfigDict(frozen=True)

    waiting: int | None
    requested: int
    queued: int
    active: int
    completed: int
    failed: int
    skipped: int


class Run(BaseModel):
    """Work on many assets at once."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    kind: Annotated[str, Field(json_schema_extra={"enum": list(RUN_KINDS)}, examples=["regenerate"])]
    status: Annotated[str, Field(json_schema_extra={"enum": list(get_args(RunStatus))}, examples=["running"])]
    everybody: Annotated[bool, Field(description="Whether it is over everybody's assets.")]
    filter: RunFilter
    preset_set: Annotated[str | None, Field(description="The preset set to make.")]
    started_at: datetime
    paused_at: datetime | None
    ended_at: datetime | None
    counts: RunCounts
    version: int


class RunPage(BaseModel):
    """Runs, newest first."""

    model_config = ConfigDict(frozen=True)

    items: tuple[Run, ...]
    next_cursor: Annotated[str | None, Field(description="For ?cursor= ; null on the last page.")]


class RunAccepted(BaseModel):
    """The run has begun."""

    model_config = ConfigDict(frozen=True)

    run_id: UUID
    status: Annotated[str, Field(examples=["running"])] = "running"
    status_url: Annotated[str, Field(examples=["/v1/runs/0199a8e4-7c1d-7b6e-9f00-2f5a6f1f8e11?after=ZGFya"])]


def run_shape(row: RunRow, *, jobs: Mapping[str, int], waiting: int | None) -> Run:
    """A run with what became of its jobs (how many in each state) and of what it has not asked for."""
    picked = Selection.from_json(row.filter)
    shown = RunFilter(
        asset_ids=picked.asset_ids,
        status=picked.statuses,
        content_type=picked.content_types,
        since=picked.since,
        until=picked.until,
    )
    return Run(
        id=row.run_id,
        kind=row.kind,
        status=row.status,
        everybody=row.owner_id is None,
        filter=shown,
        preset_set=row.preset_set,
        started_at=row.started_at,
        paused_at=row.paused_at,
        ended_at=row.ended_at,
        counts=_counts(row, jobs, waiting),
        version=row.version,
    )


def _counts(row: RunRow, jobs: Mapping[str, int], waiting: int | None) -> RunCounts:
    """From the jobs there are; those of a purged asset are gone, and then the counts it ended with tell."""
    told = row.counts or {}
    return RunCounts(
        waiting=0 if row.ended_at is not None else waiting,
        requested=told.get("requested", sum(jobs.values())),
        queued=jobs.get("queued", 0),
        active=jobs.get("active", 0),
        completed=told.get("completed", jobs.get("completed", 0)),
        failed=told.get("failed", jobs.get("failed", 0) + jobs.get("deleted", 0)),
        skipped=told.get("skipped", 0),
    )

"""What is done to many assets at once: the runs of darkroom.operations.v1, keyed by run id."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """Work is to be asked for on all assets that `filter` (JSON) picks, of `owner_id` or (none) everybody's.

    `kind` is regenerate, presets or verify; `preset_set` is what is to be made, none for the active one.
    Nothing personal may stand in the filter.
    """

    event_id: UUID
    occurred_at: datetime
    run_id: UUID
    actor_id: UUID | None = None
    expected_version: int | None = None
    request_hash: bytes | None = None
    kind: str
    filter: str
    preset_set: str | None = None
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused:
    """No more work is asked for until it goes on. Counts on `expected_version` alone, never without one."""

    event_id: UUID
    occurred_at: datetime
    run_id: UUID
    actor_id: UUID | None = None
    expected_version: int | None = None
    request_hash: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """The run goes on. Counts on `expected_version` alone, never without one."""

    event_id: UUID
    occurred_at: datetime
    run_id: UUID
    actor_id: UUID | None = None
    expected_version: int | None = None
    request_hash: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCancelled:
    """The run asks for nothing any more; what it has asked for is done."""

    event_id: UUID
    occurred_at: datetime
    run_id: UUID
    actor_id: UUID | None = None
    expected_version: int | None = None
    request_hash: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """What a run came to, in assets: `skipped` are those that it picked and asked nothing of."""

    requested: int
    completed: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCompleted:
    """All that the run asked for has ended. Of a cancelled run it tells the counts."""

    event_id: UUID
    occurred_at: datetime
    run_id: UUID
    counts: RunCounts

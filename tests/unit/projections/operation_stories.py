"""What the operations log may hold, for tests of its read models: preset sets and runs, short to write."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from schemas.events import (
    PresetSetActivated,
    PresetSetDefined,
    RunCancelled,
    RunCompleted,
    RunCounts,
    RunPaused,
    RunResumed,
    RunStarted,
)
from schemas.operation import StreamEvent
from schemas.presets import DEFAULT_PRESETS, preset_set_hash
from tests.unit.projections.stories import BEGIN, an_id

SETS = (DEFAULT_PRESETS, DEFAULT_PRESETS[:2], DEFAULT_PRESETS[2:])
NAMES = tuple(preset_set_hash(presets) for presets in SETS)


def run_id(run: object) -> UUID:
    return an_id("run", run)


def defined(number: int, at: int = 0) -> PresetSetDefined:
    moment = BEGIN + timedelta(seconds=at)
    return PresetSetDefined(
        event_id=an_id("defined", number, at),
        occurred_at=moment,
        preset_set=NAMES[number],
        presets=SETS[number],
    )


def activated(number: int, at: int = 1) -> PresetSetActivated:
    moment = BEGIN + timedelta(seconds=at)
    return PresetSetActivated(
        event_id=an_id("activated", number, at), occurred_at=moment, preset_set=NAMES[number]
    )


def begun(run: object, at: int = 2, *, owner_id: UUID | None = None, kind: str = "regenerate") -> RunStarted:
    return RunStarted(
        event_id=an_id("begun", run, at),
        occurred_at=BEGIN + timedelta(seconds=at),
        run_id=run_id(run),
        actor_id=owner_id,
        kind=kind,
        filter='{"status":"ready"}',
        preset_set=NAMES[0],
        owner_id=owner_id,
    )


def paused(run: object, version: int | None, at: int = 3) -> RunPaused:
    return RunPaused(
        event_id=an_id("paused", run, at),
        occurred_at=BEGIN + timedelta(seconds=at),
        run_id=run_id(run),
        expected_version=version,
    )


def resumed(run: object, version: int | None, at: int = 4) -> RunResumed:
    return RunResumed(
        event_id=an_id("resumed", run, at),
        occurred_at=BEGIN + timedelta(seconds=at),
        run_id=run_id(run),
        expected_version=version,
    )


def cancelled(run: object, version: int | None = None, at: int = 5) -> RunCancelled:
    return RunCancelled(
        event_id=an_id("cancelled", run, at),
        occurred_at=BEGIN + timedelta(seconds=at),
        run_id=run_id(run),
        expected_version=version,
    )


def counted(run: object, at: int = 6, *, failed: int = 1) -> RunCompleted:
    return RunCompleted(
        event_id=an_id("counted", run, at),
        occurred_at=BEGIN + timedelta(seconds=at),
        run_id=run_id(run),
        counts=RunCounts(requested=5, completed=5 - failed, failed=failed, skipped=2),
    )


def whole(run: object) -> Iterable[StreamEvent]:
    """A run that was paused, went on, and ended."""
    return begun(run), paused(run, 1), resumed(run, 2), counted(run)

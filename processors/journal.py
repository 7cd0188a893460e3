"""What the worker says about itself: one line and one count for each thing that happens to a record."""

import contextlib
import time
from collections.abc import Iterator
from typing import Final, cast
from uuid import UUID

import structlog

from adapters.telemetry.labels import Dependency, JobOutcome, Stage
from adapters.telemetry.of_worker import WorkerMetrics
from adapters.telemetry.tracing import parse_traceparent
from processors.failure_policy import Verdict
from processors.jobs import Job, Result
from schemas.envelope import RawRecord, read_headers

_AWAY: Final[dict[str, Dependency]] = {
    "store_unavailable": "store",
    "key_unavailable": "keys",
    "presets_unavailable": "presets",
    "registry_unavailable": "registry",
}

log = structlog.get_logger(__name__)


class Journal:
    """Logs and counts; knows nothing that could fail."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics

    @contextlib.contextmanager
    def about(self, record: RawRecord) -> Iterator[None]:
        """Everything logged inside names the record, its event and its trace."""
        headers = read_headers(record.headers)
        trace = parse_traceparent(headers.get("traceparent"))
        with structlog.contextvars.bound_contextvars(
            position=f"{record.partition}:{record.offset}",
            event_id=headers.get("ce_id", "")[:64],
            correlation_id=headers.get("correlationid", "")[:64],
            trace_id=None if trace is None else trace.trace_id,
        ):
            yield

    @contextlib.contextmanager
    def job(self, job: Job) -> Iterator[None]:
        """A job is worked on inside; lines name it too."""
        names = {"job_id": str(job.job_id), "asset_id": str(job.asset_id)}
        with (
            structlog.contextvars.bound_contextvars(**names),
            self._metrics.jobs_in_hand.of().track_inprogress(),
            self.stage("total"),
        ):
            yield

    @contextlib.contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """A part of the job is done inside."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._metrics.stage_seconds.of(stage).observe(time.perf_counter() - began)

    def passed(self, reason: str) -> None:
        """The record asks nothing of us."""
        self._metrics.records.of("skipped").inc()
        log.debug("record_passed", reason=reason)

    def handled(self, settled: bool) -> None:
        """The record asked for a job, and is done with or will come again."""
        self._metrics.records.of("handled" if settled else "left").inc()

    def set_aside(self, kind: str, code: str) -> None:
        """The record went to the dead letters."""
        self._metrics.records.of("dead_letter").inc()
        log.error("record_set_aside", kind=kind, code=code)

    def skipped(self, reason: str) -> None:
        """The job has its end already."""
        self._metrics.jobs.of("skipped").inc()
        log.info("job_skipped", reason=reason)

    def started(self, attempt: int) -> None:
        """An attempt begins."""
        log.info("job_started", attempt=attempt)

    def ready(self, result: Result) -> None:
        """The job has its variants; where they stood already nothing was written."""
        cost, repeated = result.cost, result.cost.bytes_written == 0
        self._metrics.jobs.of("repeated" if repeated else "ready").inc()
        self._metrics.render_cpu_seconds.of().inc(cost.cpu_ms / 1000)
        self._metrics.bytes.of("read").inc(cost.bytes_read)
        self._metrics.bytes.of("written").inc(cost.bytes_written)
        log.info(
            "job_ready",
            attempt=result.attempt,
            repeated=repeated,
            cpu_ms=cost.cpu_ms,
            wall_ms=cost.wall_ms,
            bytes_read=cost.bytes_read,
            bytes_written=cost.bytes_written,
        )

    def failed(self, verdict: Verdict, attempt: int, error: BaseException | None = None) -> None:
        """An attempt ended badly; a fault of ours is shown with its trace."""
        self._metrics.jobs.of(cast("JobOutcome", verdict.kind)).inc()
        ours = verdict.kind == "internal" and error is not None
        write = log.error if ours else log.warning
        write(
            "job_failed",
            attempt=attempt,
            kind=verdict.kind,
            code=verdict.code,
            will_retry=verdict.will_retry,
            exc_info=error if ours else None,
        )

    def purged(self, asset_id: UUID, objects: int) -> None:
        """What a purged asset left in the store was removed: so many objects."""
        self._metrics.purged_objects.of().inc(objects)
        log.info("asset_purged", asset_id=str(asset_id), objects=objects)

    def retried(self, code: str, tries: int) -> None:
        """A call is made again after an outage; `tries` counts from 1, and the first is said aloud."""
        self._metrics.retries.of(_AWAY.get(code, "store")).inc()
        write = log.warning if tries == 1 else log.debug
        write("call_retried", code=code, tries=tries)

    def append_retried(self, tries: int) -> None:
        """An append is made again; as `retried`."""
        self._metrics.retries.of("log").inc()
        write = log.warning if tries == 1 else log.debug
        write("append_retried", tries=tries)

    def manifest_broken(self, key: str) -> None:
        """What stands where a manifest should be is none; it is made again."""
        log.warning("manifest_broken", key=key)

    def fault(self, error: BaseException) -> None:
        """Something of ours failed outside of any job's work."""
        log.error("worker_fault", exc_info=error)

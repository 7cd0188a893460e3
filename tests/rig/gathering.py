"""Gathers the evidence of a run from the servers: log, rows, objects, dead letters; and waits for its end."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from adapters.object_store import S3ObjectStore
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.telemetry import Metrics
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.envelope import RawRecord
from tests.log_records import read_topic
from tests.rig.evidence import Allowed, Evidence, Place, Rows, Told
from tests.rig.history import History
from tests.rig.job_checks import stuck

_LOOK_SECONDS: Final = 0.25
_NOTHING_ALLOWED: Final = Allowed()


class Gathering:
    """Looks at one namespace from outside; opened and closed by each look, so that faults don't matter."""

    def __init__(self, settings: Settings, history: History, *, projected: bool) -> None:
        """`projected` says whether a projector runs, and rows are to agree with the log."""
        self._settings = settings
        self._history = history
        self._projected = projected
        self._codec = load_codec(settings)

    async def settled(self, seconds: float = 90.0) -> None:
        """Waits until every job in the log has its end, and the read models have the log."""
        deadline = time.monotonic() + seconds
        while still := await asyncio.to_thread(self._unsettled):
            assert time.monotonic() < deadline, f"after {seconds} s {still}; history: {self._history.file}"
            await asyncio.sleep(_LOOK_SECONDS)

    async def until(self, true: Callable[[Evidence], bool], what: str, seconds: float = 90.0) -> Evidence:
        """Waits until it is true of the evidence, which it gives."""
        deadline = time.monotonic() + seconds
        while not true(evidence := await self.evidence()):
            assert time.monotonic() < deadline, (
                f"waited {seconds} s for {what}; history: {self._history.file}"
            )
            await asyncio.sleep(_LOOK_SECONDS)
        return evidence

    async def evidence(self, allowed: Allowed = _NOTHING_ALLOWED) -> Evidence:
        """Everything that stands there now."""
        log, unreadable = await asyncio.to_thread(self._log)
        letters = await asyncio.to_thread(self._records, self._settings.kafka.topics.dead_letters)
        return Evidence(
            partitions=self._settings.kafka.partitions,
            attempts=tuple(self._history.attempts),
            acknowledged=tuple(self._history.acknowledged),
            log=log,
            unreadable=unreadable,
            rows=await asyncio.to_thread(self._rows) if self._projected else None,
            objects=await self._objects(),
            letters=len(letters),
            allowed=allowed,
        )

    def _unsettled(self) -> str | None:
        log, _ = self._log()
        evidence = Evidence(partitions=self._settings.kafka.partitions, log=log)
        if open_jobs := [violation.what for violation in stuck(evidence)]:
            return f"{len(open_jobs)} jobs have no end: {open_jobs[:3]}"
        if self._projected and len(self._rows().activity) < len(log):
            return "the read models are behind"
        return None

    def _log(self) -> tuple[Sequence[Told], Sequence[Place]]:
        log: list[Told] = []
        unreadable: list[Place] = []
        for record in self._records(self._settings.kafka.topics.assets):
            try:
                event = self._codec.decode(record.value)
            except (DecodeError, UnknownEventType):
                unreadable.append((record.partition, record.offset))
            else:
                told = Told(
                    partition=record.partition,
                    offset=record.offset,
                    key=record.key,
                    event=event,  # type: ignore[arg-type]  # the topic holds no other events
                    log_ms=record.timestamp_ms,
                )
                log.append(told)
        return log, unreadable

    def _records(self, topic: str) -> list[RawRecord]:
        return read_topic({"KAFKA_BOOTSTRAP_SERVERS": self._settings.kafka.bootstrap_servers}, topic)

    def _rows(self) -> Rows:
        with psycopg.connect(self._settings.postgres.url.get_secret_value(), row_factory=dict_row) as conn:
            assets = conn.execute("select * from live.assets").fetchall()
            jobs = conn.execute("select * from live.jobs").fetchall()
            feed = conn.execute(
                'select partition, "offset", event_id, accepted from live.activity'
            ).fetchall()
        return Rows(
            assets={row["asset_id"]: _asset(row) for row in assets},
            jobs={(row["asset_id"], row["job_id"]): row for row in jobs},
            activity={(row["partition"], row["offset"]): (row["event_id"], row["accepted"]) for row in feed},
        )

    async def _objects(self) -> Mapping[str, int]:
        store = S3ObjectStore(self._settings.store, metrics=Metrics().store)
        try:
            return {found.key: found.size async for found in store.list("assets/")}
        finally:
            await store.close()


def _asset(row: dict[str, Any]) -> Mapping[str, Any]:
    """The row as the checker names its columns."""
    variants = {variant["object_key"]: variant["size"] for variant in row["variants"]}
    position = (row["position_partition"], row["position_offset"])
    return {**row, "variants": variants, "position": position}

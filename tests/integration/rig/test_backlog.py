"""R22: a backlog is told as it is, and worked off oldest first.

BACKLOG_EVENTS makes it larger than 1,500. That reads stay fast beside it is `python -m tests.bench backlog`.
"""

import asyncio
import contextlib
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self
from uuid import UUID, uuid4

import httpx
import psutil
import pytest

from adapters.owners import owner_id
from schemas.envelope import Metadata
from schemas.events import AssetEvent, ProcessingStarted, UploadCompleted, UploadRequested
from tests.integration.projections.live import until
from tests.integration.worker.lab import Lab
from tests.integration.worker.seen import metric
from tests.programs import PLAIN, Program, asked, running
from tests.servers import World

EVENTS: Final = int(os.environ.get("BACKLOG_EVENTS", "1500"))
JOBS: Final = 120
REQUESTS: Final = EVENTS - JOBS
BATCH: Final = 100
# What several children have in hand may overtake, and no more than this.
IN_HAND: Final = 16
AT_ONCE: Final = 200
MOST_MORE_MEMORY: Final = 64 * 2**20
_ASSET: Final = re.compile(r'"asset_id":\s*"([0-9a-f-]{36})"')
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def ground(world: World) -> World:
    world.lay_ground()
    return world


@pytest.fixture
async def lab(ground: World) -> AsyncIterator[Lab]:
    lab = Lab(ground.settings("backlog"))
    assert lab.keys.wait_until_current(60)
    yield lab
    await lab.close()


@pytest.fixture
def ada(ground: World) -> UUID:
    """The owner whom the first static key stands for."""
    secret = ground.settings("ada").secrets.id_key
    return owner_id(ground.env["API_KEYS"].split(":")[1], secret)


async def told(lab: Lab, ada: UUID) -> list[UploadCompleted]:
    """Appends the backlog: uploads that are awaited, and among the last some that wait for a worker."""
    now = datetime.now(UTC)
    first = await lab.request(b"no picture, which is soon said", owner=ada)
    jobs: list[UploadCompleted] = [
        replace(first, event_id=uuid4(), asset_id=uuid4(), upload_id=uuid4(), job_id=uuid4())
        for _ in range(JOBS)
    ]
    awaited = [(uuid4(), uuid4()) for _ in range(REQUESTS - JOBS)]
    awaited += [(job.asset_id, job.upload_id) for job in jobs]
    requests: list[AssetEvent] = [_requested(*ids, ada, now) for ids in awaited]
    for events in (requests, jobs):
        for start in range(0, len(events), AT_ONCE):
            await asyncio.gather(*(_append(lab, event) for event in events[start : start + AT_ONCE]))
    return jobs


async def _append(lab: Lab, event: AssetEvent) -> None:
    await lab.log.append(event, Metadata(correlation_id=event.asset_id, source="/tests"))


def _requested(asset_id: UUID, upload_id: UUID, owner: UUID, now: datetime) -> UploadRequested:
    return UploadRequested(
        event_id=uuid4(),
        occurred_at=now,
        asset_id=asset_id,
        owner_id=owner,
        actor_id=owner,
        upload_id=upload_id,
        method="form",
        object_key=f"incoming/{asset_id}",
        content_type="image/jpeg",
        declared_size=1,
        expires_at=now + timedelta(days=1),
    )


def figures(program: Program, topic: str) -> tuple[dict[int, int], dict[int, int]]:
    """Where a projector stands in a topic, and how much waits there, by partition and from one answer."""
    text = asked(f"{program.metrics_url}/metrics").text
    return by_partition(text, "position", topic), by_partition(text, "lag_records", topic)


def by_partition(text: str, name: str, topic: str) -> dict[int, int]:
    """A projector's metric of a topic's partitions."""
    labels = rf'{{partition="(\d+)",topic="{re.escape(topic)}"}}'
    line = re.compile(rf"^darkroom_projector_{name}{labels} (\S+)$", re.MULTILINE)
    return {int(partition): round(float(value)) for partition, value in line.findall(text)}


class Truth:
    """Looks at the projector's own figures until there is nothing left to do, and keeps what it saw."""

    def __init__(self, projector: Program, topic: str, ends: Mapping[int, int]) -> None:
        self._projector, self._topic, self._ends = projector, topic, ends
        self.waiting: list[int] = []
        self.wrong: list[tuple[dict[int, int], dict[int, int]]] = []
        self._before = dict.fromkeys(ends, 0)

    def over(self) -> bool:
        """One look, if nothing moved meanwhile; whether nothing waits any more."""
        positions, lags = figures(self._projector, self._topic)
        # Of a partition that stands at its beginning with nothing waiting the broker has told no end yet.
        told = {number for number, lag in lags.items() if lag or positions.get(number)}
        if told != self._ends.keys() or figures(self._projector, self._topic) != (positions, lags):
            return False
        if any(positions[number] + lag != self._ends[number] for number, lag in lags.items()):
            self.wrong.append((positions, lags))
        assert all(positions[number] >= at for number, at in self._before.items()), "it went back"
        self._before = positions
        self.waiting.append(sum(lags.values()))
        return self.waiting[-1] == 0


class Ear:
    """Hears of an owner's assets at the live stream, and comes again where it was cut."""

    def __init__(self, url: str, key: str) -> None:
        self.heard: set[str] = set()
        self._over = threading.Event()
        self._last = ""
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30.0, verify=PLAIN
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: bool(self._last), "the stream to open")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)
        self._client.close()

    def looks(self) -> bool:
        """Whether the gallery is shown to it meanwhile."""
        return self._client.get("/v1/assets?limit=5").status_code == 200

    def _run(self) -> None:
        while not self._over.is_set():
            headers = {"Last-Event-ID": self._last} if self._last else {}
            with (
                contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError, RuntimeError),
                self._client.stream("GET", "/v1/notifications/stream", headers=headers) as answer,
            ):
                for line in answer.iter_lines():
                    self._take(line)
                    if self._over.is_set():
                        return

    def _take(self, line: str) -> None:
        if line.startswith("id: "):
            self._last = line[4:]
        elif line.startswith("data: "):
            self.heard |= {str(found) for found in _ASSET.findall(line)}


async def test_a_backlog_is_told_truly_and_worked_off_oldest_first(
    ground: World, lab: Lab, ada: UUID, tmp_path: Path
) -> None:
    """The doors answer and tell all the while, and hoard nothing of it."""
    key, url = ground.env["API_KEYS"].split(":")[0], ground.env["DARKROOM_URL"]
    topic = lab.settings.kafka.topics.assets
    slow = {"PROJECTOR_BATCH": str(BATCH), "FAILPOINTS": "projector.after_database_commit=sleep:0.5"}
    api = Program(["api"], ground.env, tmp_path / "api")
    projector = Program(["projections", "assets"], {**ground.env, **slow}, tmp_path / "projector")
    with running(api, projector):
        await asyncio.to_thread(api.wait_ready, f"{url}/readyz")
        await asyncio.to_thread(projector.wait_ready)
        projector.send(signal.SIGSTOP)
        jobs = await told(lab, ada)
        ends = dict(Counter(record.partition for record in lab.records()))
        before = psutil.Process(api.pid).memory_info().rss
        with Ear(url, key) as ear:
            projector.send(signal.SIGCONT)
            truth = Truth(projector, topic, ends)
            await asyncio.to_thread(until, lambda: ear.looks() and truth.over(), "the projector", 120)
            await asyncio.to_thread(
                until, lambda: {str(job.asset_id) for job in jobs} <= ear.heard, "all to be heard of", 60
            )
        assert truth.wrong == []
        assert sorted(truth.waiting, reverse=True) == truth.waiting, "a backlog only shrinks"
        assert any(0 < waiting < EVENTS for waiting in truth.waiting)
        assert psutil.Process(api.pid).memory_info().rss - before < MOST_MORE_MEMORY
    await _worked_off(ground, lab, jobs, tmp_path)


async def _worked_off(ground: World, lab: Lab, jobs: list[UploadCompleted], folder: Path) -> None:
    """A worker that finds the backlog says how much of it is left, and begins with the oldest."""
    worker = Program(["processors", "variants"], {**ground.env, "WORKER_SLOT": "0"}, folder / "worker")
    told: list[tuple[int, float, int]] = []
    with running(worker):
        await asyncio.to_thread(worker.wait_ready)
        while not told or told[-1][0] > 0:
            lag = await asyncio.to_thread(metric, worker, "darkroom_worker_lag_records")
            records = await asyncio.to_thread(lab.records)
            told.append((JOBS - len(_of(lab, ProcessingStarted)), lag, len(records)))
        await lab.ended(*jobs)
        await lab.until(lambda: metric(worker, "darkroom_worker_lag_records") == 0)
    # No fewer than those that had not been begun a moment later, no more than all that stands in the log.
    assert [(left, lag, all_) for left, lag, all_ in told if not left <= lag <= all_] == []
    assert any(left > 0 for left, _, _ in told)
    asked_for, begun = _of(lab, UploadCompleted), _of(lab, ProcessingStarted)
    for partition in range(lab.settings.kafka.partitions):
        order = [asset_id for number, asset_id in asked_for if number == partition]
        starts = [asset_id for number, asset_id in begun if number == partition]
        assert sorted(order) == sorted(starts)
        overtaken = [abs(starts.index(asset_id) - place) for place, asset_id in enumerate(order)]
        assert max(overtaken) <= IN_HAND


def _of(lab: Lab, kind: type[UploadCompleted | ProcessingStarted]) -> list[tuple[int, UUID]]:
    """Partition and asset of all events of a kind, in the log's order."""
    events = [(record.partition, lab.codec.decode(record.value)) for record in lab.records()]
    return [(partition, event.asset_id) for partition, event in events if isinstance(event, kind)]

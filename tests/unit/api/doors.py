"""The doors over in-memory parts, and a client that knows the keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from adapters.clock import FixedClock
from adapters.dead_letters import InMemoryDeadLetters
from adapters.event_log import InMemoryEventLog
from adapters.object_store import InMemoryObjectStore
from adapters.operations import InMemoryPresetSets
from adapters.password_hashes import PasswordHashes
from adapters.settings import Settings, load_settings
from adapters.subject_keys import InMemorySubjectKeys
from adapters.telemetry import Loops, Metrics
from api.addresses import Addresses
from api.app import Doors, create_app
from api.commands.once import Once
from api.identity import Identity, credentials_of, identity_of
from api.limits import InMemoryCounters, Limiter
from api.limits.classes import rates_of
from api.notifications.places import InMemoryPlaces, PlaceBook
from api.notifications.tickets import InMemoryTickets
from api.parts import Parts
from api.quota import InMemoryQuotas
from api.quota.contents import InMemoryContents
from api.read_cache import ReadCache
from api.tokens import Signer
from schemas.envelope import Metadata
from schemas.events import (
    AssetEvent,
    Cost,
    Encoder,
    Event,
    ProcessingFailed,
    ProcessingStarted,
    Source,
    UploadCompleted,
    Variant,
    VariantsReady,
)
from tests.unit.api.fake_accounts import FakeAccounts
from tests.unit.api.fake_past import FakePast
from tests.unit.api.fake_reads import FakeReads
from tests.unit.api.fake_runs import FakeRuns
from tests.unit.api.fake_work import FakeWork

ADA, BEN, ROOT = "ada-key-0123456789", "ben-key-0123456789", "root-key-0123456789"
PRESET_SET = "f" * 64
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 100


def settings_for(**environ: str) -> Settings:
    given = {
        "API_KEYS": f"{ADA}:ada:user,{BEN}:ben:user,{ROOT}:root:admin",
        "ALLOWED_HOSTS": "testserver",
        "JSON_MAX_BYTES": "20000",
        "FORM_MAX_BYTES": "100000",
        "DIRECT_MAX_BYTES": "1000000",
        "READ_WAIT": "0.05",
    }
    return load_settings({**given, **environ})


@dataclass
class Stage:
    """Everything behind the doors, within reach."""

    settings: Settings
    log: InMemoryEventLog
    store: InMemoryObjectStore
    keys: InMemorySubjectKeys
    presets: InMemoryPresetSets
    reads: FakeReads
    accounts: FakeAccounts
    counters: InMemoryCounters
    clock: FixedClock
    metrics: Metrics
    parts: Parts
    doors: Doors
    loops: Loops
    moment: list[float]
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, key: str | None = ADA, **headers: str) -> httpx.AsyncClient:
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        transport = httpx.ASGITransport(app=self.doors.asgi)
        made = httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers)
        self.clients.append(made)
        return made

    def events(self) -> list[Event]:
        return [event for event in self.log.events() if isinstance(event, AssetEvent)]

    def age(self, span: timedelta) -> None:
        """Lets time pass for the heartbeats."""
        self.moment[0] += span.total_seconds()

    async def append(self, event: AssetEvent) -> None:
        await self.log.append(event, Metadata(correlation_id=uuid4(), source="/test"))

    async def worked_on(self, event: UploadCompleted, *, failed: bool = False) -> None:
        """What a worker would say of the job, appended and applied."""
        await self.append(started(event, self.clock.now()))
        outcome = refused if failed else ready
        await self.append(outcome(event, self.clock.now()))
        self.reads.catch_up()

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Inside, the application's own loops run."""
        async with self.doors.fastapi.router.lifespan_context(self.doors.fastapi):
            yield


def _cache(settings: Settings, reads: FakeReads, metrics: Metrics) -> ReadCache:
    capacity = settings.doors.read_cache_bytes
    return ReadCache(reads, topic=settings.kafka.topics.assets, capacity=capacity, metrics=metrics.cache)


def _limiter(settings: Settings, counters: InMemoryCounters, clock: FixedClock, metrics: Metrics) -> Limiter:
    secret, rates = settings.secrets.id_secret.get_secret_value().encode(), rates_of(settings.rates)

    def now() -> float:
        return clock.now().timestamp()

    return Limiter(counters, rates, secret=secret, metrics=metrics.limits, now=now)


def _parts(
    settings: Settings,
    clock: FixedClock,
    metrics: Metrics,
    reads: FakeReads,
    counters: InMemoryCounters,
    identity: Identity,
    book: PlaceBook | None,
) -> Parts:
    store = InMemoryObjectStore()
    return Parts(
        settings=settings,
        log=reads.log,
        store=store,
        keys=reads.keys,
        presets=InMemoryPresetSets(active=PRESET_SET),
        reads=reads,
        runs=FakeRuns(reads),
        work=FakeWork(reads),
        past=FakePast(reads),
        letters=InMemoryDeadLetters(),
        codec=reads.log.codec,
        cache=_cache(settings, reads, metrics),
        credentials=credentials_of(settings, identity, clock),
        identity=identity,
        tickets=InMemoryTickets(),
        places=InMemoryPlaces(book),
        limits=_limiter(settings, counters, clock, metrics),
        signer=Signer(settings.secrets.token_secrets),
        addresses=Addresses(store=store, window=timedelta(hours=1)),
        completions=Once(),
        quotas=InMemoryQuotas(settings.quotas, reads.counted, reads.heard),
        contents=InMemoryContents(),
        metrics=metrics,
        clock=clock,
    )


@asynccontextmanager
async def stage(book: PlaceBook | None = None, /, **environ: str) -> AsyncIterator[Stage]:
    """With a `book` of their own, stages are processes that count streams together."""
    settings, metrics, moment = settings_for(**environ), Metrics(), [0.0]
    clock = FixedClock(datetime(2026, 5, 17, 8, 9, 10, tzinfo=UTC))
    log = InMemoryEventLog(clock=clock, topics=settings.kafka.topics)
    keys = InMemorySubjectKeys()
    accounts = FakeAccounts(log, keys)
    reads = FakeReads(log, keys, accounts)
    passwords = PasswordHashes(threads=1, queue=64, passes=1, memory_kib=8)
    counters = InMemoryCounters(lambda: clock.now().timestamp())
    identity = identity_of(settings, accounts, passwords, clock)
    parts = _parts(settings, clock, metrics, reads, counters, identity, book)
    loops = Loops("api", timedelta(seconds=30), metrics.loops, now=lambda: moment[0])
    assert isinstance(parts.store, InMemoryObjectStore)
    assert isinstance(parts.presets, InMemoryPresetSets)
    made = Stage(
        settings=settings,
        log=log,
        store=parts.store,
        keys=reads.keys,
        presets=parts.presets,
        reads=reads,
        accounts=accounts,
        counters=counters,
        clock=clock,
        metrics=metrics,
        parts=parts,
        doors=create_app(parts, loops),
        loops=loops,
        moment=moment,
    )
    yield made
    for client in made.clients:
        await client.aclose()
    passwords.close()


async def upload(on: Stage, key: str = ADA, **words: str) -> tuple[dict[str, Any], UploadCompleted]:
    """A picture uploaded by the form and applied: the answer, and the event that asks for its variants."""
    files = {"file": ("harbour.jpg", JPEG, "image/jpeg")}
    answer = await on.client(key).post("/v1/uploads?duplicate=allow", files=files, data=words)
    assert answer.status_code == 202, answer.text
    on.reads.catch_up()
    completed = [event for event in on.events() if isinstance(event, UploadCompleted)][-1]
    return answer.json(), completed


def _common(event: UploadCompleted, now: datetime, attempt: int = 1) -> dict[str, Any]:
    return {
        "event_id": uuid4(),
        "occurred_at": now,
        "asset_id": event.asset_id,
        "owner_id": event.owner_id,
        "job_id": event.job_id,
        "attempt": attempt,
    }


def started(event: UploadCompleted, now: datetime, *, attempt: int = 1) -> ProcessingStarted:
    return ProcessingStarted(**_common(event, now, attempt), worker="variants-0", lane="live")


def refused(
    event: UploadCompleted, now: datetime, *, attempt: int = 1, will_retry: bool = False
) -> ProcessingFailed:
    return ProcessingFailed(
        **_common(event, now, attempt),
        kind="interrupted" if will_retry else "refused",
        code="shutdown" if will_retry else "not_an_image",
        retryable=will_retry,
        will_retry=will_retry,
    )


def ready(event: UploadCompleted, now: datetime) -> VariantsReady:
    def variant(name: str, side: int) -> Variant:
        key = f"assets/{event.asset_id}/variants/x/{name}.jpg"
        return Variant(
            name=name, object_key=key, content_type="image/jpeg", width=side, height=side, size=side
        )

    return VariantsReady(
        **_common(event, now),
        source=Source(
            object_key=event.object_key,
            size=event.size,
            format="JPEG",
            width=400,
            height=300,
            orientation=1,
            frames=1,
            animated=False,
            has_alpha=False,
        ),
        variants=(variant("small", 480), variant("thumbnail", 150)),
        manifest_key=f"assets/{event.asset_id}/variants/x/manifest.json",
        preset_set=event.preset_set,
        encoder=Encoder(pillow="13", codecs="x", resizer="x", simd="x"),
        cost=Cost(cpu_ms=1, wall_ms=1, peak_rss_kib=1, bytes_read=1, bytes_written=1),
    )

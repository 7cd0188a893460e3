"""Opens what the doors are made of, in order, and closes it in reverse: the one place that connects."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeVar

from adapters.cdn import CdnSigner
from adapters.clock import Clock, SystemClock
from adapters.dead_letters import KafkaLetterBox
from adapters.event_log import KafkaEventLog
from adapters.object_store import ObjectStore, PromptStore, S3ObjectStore
from adapters.operations import KafkaPresetSets
from adapters.password_hashes import PasswordHashes
from adapters.read_store import Pool, async_pool, conninfo
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Loops, Metrics
from adapters.topics import require_topics
from api.addresses import Addresses
from api.commands.once import Once
from api.identity import Identity, credentials_of, identity_of
from api.limits import Limiter, PostgresCounters
from api.limits.classes import rates_of
from api.notifications.places import PostgresPlaces
from api.notifications.tickets import PostgresTickets
from api.parts import Parts
from api.queries.accounts import PostgresAccounts
from api.queries.past import PostgresPast
from api.queries.reads import PostgresReads, Reads
from api.queries.run_reads import PostgresRunReads
from api.queries.work import PostgresWork
from api.quota import PostgresQuotas
from api.quota.contents import PostgresContents
from api.read_cache import ReadCache
from api.tokens import Signer
from projections.waiting import PositionWatch
from schemas.codec import Codec

COMPONENT = "api"


@asynccontextmanager
async def opened(
    settings: Settings, metrics: Metrics, loops: Loops, stop: threading.Event
) -> AsyncIterator[Parts]:
    """The parts, until the block's end.

    Waits for a registry and brokers that can't be reached, until `stop` is set; then raises
    RegistryUnavailable or BrokerUnreachable; ContractMismatch and TopicDrift where they are wrong.
    """
    codec = await _contract(settings, stop)
    async with AsyncExitStack() as closing:
        log = _held(closing, KafkaEventLog(settings.kafka, codec, metrics=metrics.log))
        store = _held(closing, PromptStore(S3ObjectStore(settings.store, metrics=metrics.store)))
        keys = await _keys(settings, codec, log, metrics, loops, closing)
        presets = await _presets(settings, codec, loops, closing)
        pool = await _pool(settings, closing)
        watch = await _watch(settings, loops, closing)
        clock = SystemClock()
        identity = _identity(settings, pool, watch, clock, closing)
        reads = PostgresReads(pool, watch)
        yield Parts(
            settings=settings,
            log=log,
            store=store,
            keys=keys,
            presets=presets,
            reads=reads,
            runs=PostgresRunReads(pool),
            work=PostgresWork(pool),
            past=PostgresPast(pool, settings.kafka),
            letters=KafkaLetterBox(settings.kafka),
            codec=codec,
            cache=_cache(settings, reads, watch, metrics),
            credentials=credentials_of(settings, identity, clock),
            identity=identity,
            limits=_limits(settings, pool, metrics, closing),
            tickets=PostgresTickets(pool),
            places=PostgresPlaces(pool),
            signer=Signer(settings.secrets.token_secrets),
            addresses=_addresses(settings, store),
            completions=Once(),
            quotas=PostgresQuotas(pool, settings.quotas, clock),
            contents=PostgresContents(pool),
            metrics=metrics,
            clock=clock,
        )


async def _contract(settings: Settings, stop: threading.Event) -> Codec:
    codec = await asyncio.to_thread(load_codec, settings, stop=stop)
    await asyncio.to_thread(require_topics, settings, stop=stop)
    return codec


class _Closed(Protocol):
    async def close(self) -> None: ...


_Part = TypeVar("_Part", bound=_Closed)


def _held(closing: AsyncExitStack, part: _Part) -> _Part:
    closing.push_async_callback(part.close)
    return part


async def _following(closing: AsyncExitStack, start: Callable[[], None], close: Callable[[], None]) -> None:
    await asyncio.to_thread(start)
    closing.push_async_callback(asyncio.to_thread, close)


async def _keys(
    settings: Settings,
    codec: Codec,
    log: KafkaEventLog,
    metrics: Metrics,
    loops: Loops,
    closing: AsyncExitStack,
) -> KafkaSubjectKeys:
    loop = loops.expect("subject-keys")
    keys = KafkaSubjectKeys(settings, codec, log, component=COMPONENT, metrics=metrics.keys, loop=loop)
    await _following(closing, keys.start, keys.close)
    return keys


async def _presets(
    settings: Settings, codec: Codec, loops: Loops, closing: AsyncExitStack
) -> KafkaPresetSets:
    loop = loops.expect("preset-sets")
    presets = KafkaPresetSets(settings.kafka, codec, component=COMPONENT, loop=loop)
    await _following(closing, presets.start, presets.close)
    return presets


async def _pool(settings: Settings, closing: AsyncExitStack) -> Pool:
    pool = async_pool(settings, COMPONENT)
    await pool.open()
    closing.push_async_callback(pool.close)
    return pool


def _limits(settings: Settings, pool: Pool, metrics: Metrics, closing: AsyncExitStack) -> Limiter:
    secret = settings.secrets.id_key
    rates = rates_of(settings.rates)
    limits = Limiter(PostgresCounters(pool), rates, secret=secret, metrics=metrics.limits)
    closing.push_async_callback(limits.close)
    return limits


async def _watch(settings: Settings, loops: Loops, closing: AsyncExitStack) -> PositionWatch:
    watch = PositionWatch(conninfo(settings, COMPONENT), loop=loops.expect("position-watch"))
    await watch.start()
    closing.push_async_callback(watch.close)
    return watch


def _cache(settings: Settings, reads: Reads, watch: PositionWatch, metrics: Metrics) -> ReadCache:
    capacity = settings.doors.read_cache_bytes
    topic = settings.kafka.topics.assets
    cache = ReadCache(reads, topic=topic, capacity=capacity, metrics=metrics.cache)
    watch.tell(cache)
    return cache


def _identity(
    settings: Settings, pool: Pool, watch: PositionWatch, clock: Clock, closing: AsyncExitStack
) -> Identity:
    identity = settings.identity
    accounts = PostgresAccounts(pool, watch, settings.kafka.topics.identity, settings.kafka.partitions)
    passwords = PasswordHashes(threads=identity.password_threads, queue=identity.password_queue)
    closing.push_async_callback(asyncio.to_thread, passwords.close)
    return identity_of(settings, accounts, passwords, clock)


def _addresses(settings: Settings, store: ObjectStore) -> Addresses:
    wanted = settings.store
    signer = None
    if wanted.cdn_key_id is not None and wanted.cdn_key_file is not None:
        signer = CdnSigner.from_file(wanted.cdn_key_id, wanted.cdn_key_file)
    window = settings.doors.url_window
    return Addresses(store=store, window=window, cdn_url=wanted.cdn_url, cdn_signer=signer)

"""What commands that change something work with: log, read models, dead letters, and who asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

import typer

from adapters.clock import Clock, SystemClock, new_id
from adapters.dead_letters import KafkaLetterBox, LetterBox
from adapters.event_log import EventLog, KafkaEventLog
from adapters.owners import deterministic_id
from adapters.read_store import Pool, async_pool
from adapters.schema_registry import load_codec
from adapters.settings import Settings, settings_or_exit
from adapters.telemetry.metrics import Metrics
from api.queries.work import PostgresWork
from ops.sentences import in_sentences
from ops.waiting import quiet_logs, stop_after
from projections.account_activity.queries import by_event_id as account_event
from projections.activity.queries import by_event_id as asset_event
from schemas.codec import Codec
from schemas.envelope import Metadata
from schemas.events import Event
from schemas.positions import Position

T = TypeVar("T")

_COMPONENT: Final = "ops"
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`operator` is who stands in events as their actor; `wait` is how long to wait for the log's word."""

    settings: Settings
    codec: Codec
    log: EventLog
    pool: Pool
    work: PostgresWork
    letters: LetterBox
    clock: Clock
    wait: float

    @property
    def secret(self) -> bytes:
        """The secret of ids that repeat."""
        return self.settings.secrets.id_key

    @property
    def operator(self) -> UUID:
        """Who acts from a shell."""
        return deterministic_id(self.secret, "operator")

    async def append(self, event: Event, *, source: str, causation_id: UUID | None = None) -> Position:
        """Appends; raises AppendFailed."""
        metadata = Metadata(correlation_id=new_id(), causation_id=causation_id, source=source)
        return await self.log.append(event, metadata)

    async def accepted(self, event_id: UUID) -> bool | None:
        """What the log decided, as the read models say; None where they don't say it in time."""
        try:
            async with asyncio.timeout(self.wait):
                while True:
                    async with self.pool.connection() as conn:
                        found = await asset_event(conn, event_id) or await account_event(conn, event_id)
                    if found is not None:
                        return found.accepted
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            return None


def at_desk(work: Callable[[Desk], Awaitable[T]], *, wait: float) -> T:
    """What `work` gives; ends the command with a sentence where a server can't be reached or is wrong."""
    quiet_logs()
    settings = settings_or_exit()
    with in_sentences():
        with stop_after(max(wait, 5.0)) as stop:
            codec = load_codec(settings, stop=stop)
        return asyncio.run(_seated(settings, codec, work, wait))


async def _seated(settings: Settings, codec: Codec, work: Callable[[Desk], Awaitable[T]], wait: float) -> T:
    async with _desk(settings, codec, wait) as desk:
        return await work(desk)


@asynccontextmanager
async def _desk(settings: Settings, codec: Codec, wait: float) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as closing:
        log = KafkaEventLog(settings.kafka, codec, metrics=Metrics().log)
        closing.push_async_callback(log.close)
        pool = await closing.enter_async_context(async_pool(settings, _COMPONENT))
        yield Desk(
            settings=settings,
            codec=codec,
            log=log,
            pool=pool,
            work=PostgresWork(pool),
            letters=KafkaLetterBox(settings.kafka),
            clock=SystemClock(),
            wait=wait,
        )


def id_of(text: str) -> UUID:
    """An id from the command line; ends the command where it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no id") from None

"""Servers and a namespace of its own for benchmarks that need them, as the tests have."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import psycopg
from rich.console import Console

from adapters.event_log import KafkaEventLog
from adapters.migrating import migrate
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Metrics
from projections import read_models
from schemas.codec import Codec
from schemas.envelope import Metadata
from tests.servers import World, running_servers

_CURRENT_SECONDS = 30.0
# As the product has it: with a few, the one that got most keys would decide how long a round lasts.
_PARTITIONS = 12
# Requests are counted as always, and nobody is turned away.
GENEROUS = dict.fromkeys(
    ("RATE_READS", "RATE_WRITES", "RATE_UPLOADS", "RATE_KEYS", "RATE_LOGIN_ACCOUNT", "RATE_LOGIN_NETWORK"),
    "1000000/second",
)


@contextlib.contextmanager
def world() -> Iterator[World]:
    """A fresh namespace, with its ground laid, on running servers (TEST_SERVERS says which)."""
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder,
        console.status("starting servers"),
        running_servers(throwaway=False) as servers,
    ):
        env = {**servers.environment(), "KAFKA_PARTITIONS": str(_PARTITIONS)}
        found = World(servers=servers, env=env, folder=Path(folder))
        found.lay_ground()
        yield found


def fresh_database(world: World, name: str) -> dict[str, str]:
    """The world's environment with a database of its own, in which the read models are empty."""
    env = {**world.env, "DATABASE_URL": world.servers.new_database()}
    settings = world.settings(name, DATABASE_URL=env["DATABASE_URL"])
    migrate(settings)
    with psycopg.connect(settings.postgres.url.get_secret_value()) as conn:
        read_models.install(conn)
    return env


class Pen:
    """What writes events: an event log, and data keys to seal with."""

    def __init__(self, settings: Settings) -> None:
        metrics = Metrics()
        self.codec: Codec = load_codec(settings)
        self.log = KafkaEventLog(settings.kafka, self.codec, metrics=metrics.log)
        self.keys = KafkaSubjectKeys(settings, self.codec, self.log, component="bench")

    async def close(self) -> None:
        """Let go of the broker."""
        self.keys.close()
        await self.log.close()


@contextlib.asynccontextmanager
async def pen(settings: Settings) -> AsyncIterator[Pen]:
    """A pen for the while, its keys current."""
    held = Pen(settings)
    held.keys.start()
    try:
        if not held.keys.wait_until_current(_CURRENT_SECONDS):
            raise TimeoutError("the key topic was not read to its end")
        yield held
    finally:
        await held.close()


def metadata(correlation_id: UUID) -> Metadata:
    """Metadata of whatever a benchmark says."""
    return Metadata(correlation_id=correlation_id, source="/bench")

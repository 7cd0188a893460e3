"""Questions that tell whether a program serves yet; each answers no instead of raising."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Collection

import psycopg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from ops.stack.programs import Probe

PATIENCE = 2.0
"""Seconds a single question may take."""
LIVENESS_PATIENCE = 5.0
"""The same where the answer decides over a life: a busy machine is slow."""


def http_answers(url: str, statuses: Collection[int] = (200,), *, patience: float = PATIENCE) -> Probe:
    """Serves when a GET of the URL is answered with one of the statuses within `patience` seconds."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=patience) as answer:  # noqa: S310 - our own loopback URL
                return answer.status in statuses
        except urllib.error.HTTPError as error:
            with error:
                return error.code in statuses
        except OSError:
            return False

    return lambda: asyncio.to_thread(ask)


def tcp_accepts(host: str, port: int) -> Probe:
    """Serves when it accepts a connection."""

    async def ask() -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return ask


def kafka_answers(bootstrap: str) -> Probe:
    """Serves when the broker answers for its cluster with itself in it."""
    host, port = bootstrap.rsplit(":", 1)
    listens = tcp_accepts(host, int(port))

    def ask() -> bool:
        # Debug output off: a client that finds nobody fills the terminal otherwise.
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 2000})
        try:
            return bool(admin.list_topics(timeout=PATIENCE).brokers)
        except KafkaException:
            return False

    async def listens_and_answers() -> bool:
        return await listens() and await asyncio.to_thread(ask)

    return listens_and_answers


def postgres_answers(url: str) -> Probe:
    """Serves when a connection can be made and asked something."""

    def ask() -> bool:
        try:
            with psycopg.connect(url, connect_timeout=int(PATIENCE)) as connection:
                connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    return lambda: asyncio.to_thread(ask)

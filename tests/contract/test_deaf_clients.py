"""A client of the log that no broker answers any more is replaced, since it may be deaf (R17).

librdkafka's issue 5301 can't be called up at will. So each client has a wire of its own, which goes dead
until the client has a successor; what it then hears or says is the successor's doing.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from adapters import hearing
from adapters.event_log import AppendFailed, KafkaEventLog
from adapters.operations import KafkaPresetSets
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Metrics
from processors.look_ahead.log_tail import KafkaTail, TailLost
from schemas.codec import Codec
from schemas.events import PresetSetActivated
from tests.contract.ground import make_topics, metadata, upload_requested
from tests.rig.proxy import Proxy, Weather
from tests.servers import World

SECONDS = 60.0


@pytest.fixture(scope="module")
def ground(world: World) -> World:
    """The module's topics."""
    make_topics(world.settings().kafka)
    return world


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients soon have successors."""
    monkeypatch.setattr(hearing, "DEAF_SECONDS", 1.0)
    monkeypatch.setattr(hearing, "ASK_SECONDS", 0.5)


class Wire(contextlib.ExitStack):
    """A wire to the broker for one client alone."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__()
        host, _, port = world.settings().kafka.bootstrap_servers.partition(":")
        self.proxy = self.enter_context(Proxy((host, int(port)), broker=True))
        self.settings = world.settings(name, KAFKA_BOOTSTRAP_SERVERS=self.proxy.address)

    def deafen(self) -> None:
        """Dead until the client has given up."""
        with capture_logs() as said, self.proxy.weather(Weather(blackhole=True)):
            until(lambda: any(entry["event"] == "log_client.renewed" for entry in said))


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def landed(log: KafkaEventLog) -> None:
    """Appends the same event until it lands."""
    event, deadline = upload_requested(), time.monotonic() + SECONDS
    while True:
        try:
            await log.append(event, metadata())
        except AppendFailed:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        else:
            return


async def test_appends_go_on(ground: World) -> None:
    with Wire(ground, "producer") as wire:
        log = KafkaEventLog(wire.settings.kafka, Codec.local(), metrics=Metrics().log)
        try:
            await landed(log)
            await asyncio.to_thread(wire.deafen)
            await landed(log)
        finally:
            await log.close()


async def test_keys_are_followed_on(ground: World) -> None:
    with Wire(ground, "keys") as wire:
        log = KafkaEventLog(ground.settings().kafka, Codec.local(), metrics=Metrics().log)
        made = KafkaSubjectKeys(ground.settings("made"), Codec.local(), log, component="made")
        keys = KafkaSubjectKeys(wire.settings, Codec.local(), None, component="test")
        made.start()
        keys.start()
        try:
            await asyncio.to_thread(until, lambda: keys.wait_until_current(1.0))
            await asyncio.to_thread(wire.deafen)
            user = uuid4()
            sealed = made.seal(user, await made.data_key(user), "sealed_words", b"words")
            await asyncio.to_thread(until, lambda: keys.wait_until_current(1.0))
            assert keys.open(user, "sealed_words", sealed) == b"words"
        finally:
            await asyncio.to_thread(keys.close)
            await asyncio.to_thread(made.close)
            await log.close()


async def test_preset_sets_are_followed_on(ground: World) -> None:
    with Wire(ground, "presets") as wire:
        log = KafkaEventLog(ground.settings().kafka, Codec.local(), metrics=Metrics().log)
        presets = KafkaPresetSets(wire.settings.kafka, Codec.local(), component="test")
        presets.start()
        try:
            assert await asyncio.to_thread(presets.wait_until_current, SECONDS)
            await asyncio.to_thread(wire.deafen)
            now = datetime.now(UTC)
            activated = PresetSetActivated(event_id=uuid4(), occurred_at=now, preset_set="later")
            await log.append(activated, metadata())
            await asyncio.to_thread(until, lambda: presets.active() == "later")
        finally:
            await asyncio.to_thread(presets.close)
            await log.close()


def test_a_look_ahead_begins_anew(ground: World) -> None:
    with Wire(ground, "tail") as wire:
        kafka = wire.settings.kafka
        tail = KafkaTail(kafka.client(), group=f"{kafka.topic_prefix}.tail", topic=kafka.topics.assets)
        tail.follow({0: 0})
        deafening = threading.Thread(target=wire.deafen)
        try:
            tail.read(1.0)
            deafening.start()
            with pytest.raises(TailLost):
                until(lambda: bool(tail.read(0.1)))
        finally:
            deafening.join()
            tail.close()

"""Everything at once: servers and programs killed and frozen, wires cut, poison and old news in the log.

`make chaos` runs it for CHAOS_SECONDS; a run is repeated with RIG_SEED.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from tests.integration.rig.conftest import Scene
from tests.log_records import append_raw, read_topic
from tests.rig.evidence import Allowed
from tests.rig.fleet import Fleet
from tests.rig.proxy import SLOW_DOWN, Proxy, Weather
from tests.rig.storms import Storm, striking
from tests.servers import Server

SECONDS = float(os.environ.get("CHAOS_SECONDS", "0"))
pytestmark = [
    pytest.mark.usefixtures("projected"),
    pytest.mark.skipif(not SECONDS, reason="only where CHAOS_SECONDS is set, as by `make chaos`"),
    pytest.mark.timeout(SECONDS * 4 + 600),
]

POISON = (b"", b"garbage", b"\x01\x00\x00\x00\x01", b"\x00\xff\xff\xff\xff\x00", b"\x00")


class Chaos:
    """What can be done to a scene, each by its name, and what of it leaves a trace that is allowed."""

    def __init__(self, scene: Scene, api: Fleet, broker_wire: Proxy, chance: random.Random) -> None:
        self.poison = 0
        self._scene, self._api, self._chance = scene, api, chance
        self._broker_wire = broker_wire
        self._topic = f"{scene.world.env['TOPIC_PREFIX']}.assets.v1"

    def faults(self) -> dict[str, Callable[[], object]]:
        """All of them."""
        scene, servers = self._scene, self._scene.world.servers
        fleets = {"api": self._api, "worker": scene.workers, "projector": scene.projectors}
        named: dict[str, Callable[[], object]] = {}
        for name, fleet in fleets.items():
            numbers = (0,) if fleet is self._api else (0, 1)
            named[f"{name} killed"] = partial(self._kill, fleet, numbers)
            named[f"{name} frozen"] = partial(self._freeze, fleet, numbers)
        for name, server in {
            "broker": servers.kafka,
            "database": servers.postgres,
            "store": servers.store,
        }.items():
            named[f"{name} killed"] = partial(self._kill_server, server)
            named[f"{name} frozen"] = partial(self._freeze_server, server)
        for kind, weather in {
            "cut": Weather(cut_down=800, reset=True, chance=0.5),
            "slow": Weather(latency=0.1),
            "silent": Weather(blackhole=True, chance=0.5),
        }.items():
            named[f"broker's wire {kind}"] = partial(self._wire, self._broker_wire, weather)
        named["store's wire cut"] = partial(self._wire, scene.store_wire, Weather(cut_down=500, chance=0.5))
        named["store overrun"] = partial(self._wire, scene.store_wire, Weather(answer=SLOW_DOWN, chance=0.4))
        named["poison"] = self._poisoned
        named["old news"] = self._repeated
        named["offsets lost"] = self._offsets_lost
        return named

    def _kill(self, fleet: Fleet, numbers: Sequence[int]) -> None:
        number = self._chance.choice(numbers)
        fleet.kill(number)
        fleet.start(number, ready=False)

    def _freeze(self, fleet: Fleet, numbers: Sequence[int]) -> None:
        number = self._chance.choice(numbers)
        fleet.freeze(number)
        time.sleep(self._chance.choice((1.0, 8.0)))
        fleet.thaw(number)

    def _kill_server(self, server: Server) -> None:
        server.kill()
        server.wait_ready()

    def _freeze_server(self, server: Server) -> None:
        with server.paused():
            time.sleep(self._chance.uniform(0.5, 4.0))

    def _wire(self, wire: Proxy, weather: Weather) -> None:
        with wire.weather(weather):
            time.sleep(self._chance.uniform(1.0, 3.0))

    def _poisoned(self) -> None:
        env = self._scene.world.env
        producer = Producer(
            {"bootstrap.servers": env["KAFKA_BOOTSTRAP_SERVERS"], "message.timeout.ms": 60_000}
        )
        for value in POISON:
            producer.produce(self._topic, value=value, key=os.urandom(8))
        assert producer.flush(60) == 0
        self.poison += len(POISON)

    def _repeated(self) -> None:
        env = self._scene.world.env
        append_raw(env, [record for record in read_topic(env, self._topic)[-200:] if record.value])

    def _offsets_lost(self) -> None:
        """The workers' group is forgotten as soon as it is empty; they begin at the first record again."""
        env, workers = self._scene.world.env, self._scene.workers
        for number in (0, 1):
            workers.kill(number)
        group = f"{env['TOPIC_PREFIX']}.variants"
        deadline = time.monotonic() + 60
        while True:  # its members are counted until their sessions end
            admin = AdminClient({"bootstrap.servers": env["KAFKA_BOOTSTRAP_SERVERS"]})
            try:
                admin.delete_consumer_groups([group])[group].result(10)
                break
            except KafkaException:
                assert time.monotonic() < deadline
                time.sleep(0.5)
        workers.start(0, 1, ready=False)


async def test_nothing_is_lost_doubled_or_stuck(
    outside: Scene, api: Fleet, broker_wire: Proxy, seed: int
) -> None:
    """R01, R05, R07, R09, R11, R14, R16: a seeded storm of all faults under an owner's uploads."""
    print(f"RIG_SEED={seed}")
    chance = random.Random(seed)
    chaos = Chaos(outside, api, broker_wire, chance)
    outside.workers.start(0, 1, ready=False)
    outside.projectors.start(0, 1, ready=False)
    # No worker of the bulk lane runs here, and one owner uploads for all.
    api.start(0, KAFKA_BOOTSTRAP_SERVERS=broker_wire.address, BULK_ABOVE="100000")
    storm = Storm(chance=chance, strikes=1, seconds=SECONDS)
    async with outside.load.at(2.0):
        await asyncio.to_thread(striking, chaos.faults(), storm, outside.history.fault)
        await asyncio.to_thread(api.wait_ready, 0)
    await outside.load.resolve()
    # Each kind of reader sets poison aside by itself, and says so again where it was killed in between.
    allowed = Allowed(handovers=True, orphaned_originals=True, poison=chaos.poison, letters=20 * chaos.poison)
    evidence = await outside.end(allowed, seconds=180.0)
    assert len(evidence.acknowledged) == len(evidence.attempts)
    print(f"{len(evidence.acknowledged)} uploads, {len(evidence.log)} events, {chaos.poison} poison records")

"""All faults at once, by name, and a run of them under an owner's uploads."""

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from tests.integration.rig.conftest import Scene
from tests.log_records import append_raw, read_topic
from tests.rig.evidence import Allowed
from tests.rig.fleet import Fleet
from tests.rig.proxy import SLOW_DOWN, Proxy, Weather
from tests.rig.storms import Storm, striking
from tests.servers import Server

POISON: Final = (b"", b"garbage", b"\x01\x00\x00\x00\x01", b"\x00\xff\xff\xff\xff\x00", b"\x00")
BROKER_WEATHER: Final = {
    "cut": Weather(cut_down=800, reset=True, chance=0.5),
    "slow": Weather(latency=0.1),
    "silent": Weather(blackhole=True, chance=0.5),
}
RATE: Final = 2.0


class Chaos:
    """What can be done to a scene, each by its name, and what of it leaves a trace that is allowed."""

    def __init__(
        self,
        scene: Scene,
        api: Fleet,
        chance: random.Random,
        *,
        brokers: Mapping[str, Server],
        broker_wire: Proxy | None = None,
    ) -> None:
        """`brokers` by the names of their faults; `broker_wire` is the doors' way, where it has any."""
        self.poison = 0
        self._scene, self._api, self._chance = scene, api, chance
        self._brokers, self._broker_wire = brokers, broker_wire
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
        others = {"database": servers.postgres, "store": servers.store}
        for name, server in {**self._brokers, **others}.items():
            named[f"{name} killed"] = partial(self._kill_server, server)
            named[f"{name} frozen"] = partial(self._freeze_server, server)
        if self._broker_wire is not None:
            for kind, weather in BROKER_WEATHER.items():
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
        old = read_topic(env, self._topic)[-200:]
        append_raw(env, [record for record in old if record.value not in (None, *POISON)])

    def _offsets_lost(self) -> None:
        """The workers' group is forgotten as soon as it is empty; they begin at the first record again."""
        env, workers = self._scene.world.env, self._scene.workers
        for number in (0, 1):
            workers.kill(number)
        group = f"{env['TOPIC_PREFIX']}.variants"
        deadline = time.monotonic() + 120
        while True:  # its members are counted until their sessions end
            admin = AdminClient({"bootstrap.servers": env["KAFKA_BOOTSTRAP_SERVERS"]})
            try:
                admin.delete_consumer_groups([group])[group].result(10)
                break
            except KafkaException as error:
                if error.args[0].name() == "GROUP_ID_NOT_FOUND":  # they had not come to join
                    break
                assert time.monotonic() < deadline
                time.sleep(0.5)
        workers.start(0, 1, ready=False)


async def survived(
    scene: Scene, api: Fleet, chaos: Chaos, storm: Storm, *, brokers: str | None = None
) -> None:
    """Uploads at a rate while the storm lasts, then everything done, and the checker over all of it.

    `brokers` is where the doors find the log, if not where everybody does.
    """
    scene.workers.start(0, 1, ready=False)
    scene.projectors.start(0, 1, ready=False)
    # No worker of the bulk lane runs here, and one owner uploads for all.
    found = brokers or scene.world.env["KAFKA_BOOTSTRAP_SERVERS"]
    api.start(0, BULK_ABOVE="100000", KAFKA_BOOTSTRAP_SERVERS=found)
    async with scene.load.at(RATE):
        await asyncio.to_thread(striking, chaos.faults(), storm, scene.history.fault)
        await asyncio.to_thread(api.wait_ready, 0)
    await scene.load.resolve()
    # Each kind of reader sets poison aside by itself, and says so again where it was killed in between.
    allowed = Allowed(handovers=True, orphaned_originals=True, poison=chaos.poison, letters=20 * chaos.poison)
    evidence = await scene.end(allowed, seconds=180.0)
    assert len(evidence.acknowledged) == len(evidence.attempts)

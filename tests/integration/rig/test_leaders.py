"""Three brokers under writes: the one that leads is killed, the others go on, and nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from adapters.event_log import KafkaEventLog, LogUnavailable, OutcomeUnknown
from adapters.telemetry import Metrics
from adapters.topics import TopicAdmin, specs_of
from schemas.codec import Codec
from schemas.events import UploadRequested
from schemas.positions import Position
from tests.contract.ground import metadata, read, upload_requested
from tests.rig.cluster import Cluster, brokers_alone

PARTITIONS = 4
WRITERS = 8
# Of so many more than at the kill nobody can say that they were on their way before.
ENOUGH = 50


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with brokers_alone() as cluster:
        yield cluster


class Writers:
    """Events appended one after the other, each again under its id until it is acknowledged."""

    def __init__(self, log: KafkaEventLog) -> None:
        self.attempted: dict[str, UploadRequested] = {}
        self.acknowledged: dict[str, Position] = {}
        self._log = log

    async def write(self, over: asyncio.Event) -> None:
        while not over.is_set():
            event = upload_requested()
            self.attempted[str(event.event_id)] = event
            while str(event.event_id) not in self.acknowledged:
                try:
                    position = await self._log.append(event, metadata())
                except (LogUnavailable, OutcomeUnknown):
                    await asyncio.sleep(0.1)
                else:
                    self.acknowledged[str(event.event_id)] = position

    async def go_on(self) -> None:
        """Waits until as many again have been acknowledged, which no fault may keep from happening."""
        seen = len(self.acknowledged)
        async with asyncio.timeout(60):
            while len(self.acknowledged) < seen + ENOUGH:  # noqa: ASYNC110 - what is watched has no event
                await asyncio.sleep(0.02)


@pytest.mark.timeout(300)
async def test_writers_go_on_while_the_leader_is_dead_and_nothing_acknowledged_is_lost(
    cluster: Cluster,
) -> None:
    """R01: two of three must have a record (`min.insync.replicas`), so that one may go at any moment."""
    kafka = cluster.settings("leaders", PARTITIONS)
    topic = kafka.topics.assets
    TopicAdmin(kafka).create(specs_of(kafka))
    await asyncio.to_thread(cluster.wait_in_sync, topic)
    log, over = KafkaEventLog(kafka, Codec.local(), metrics=Metrics().log), asyncio.Event()
    writers = Writers(log)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WRITERS):
            tasks.create_task(writers.write(over))
        await writers.go_on()
        leader = cluster.leaders(topic)[0]
        broker = cluster.brokers[leader]
        broker.kill()
        await asyncio.to_thread(broker.stop)  # it would come back within seconds
        await asyncio.to_thread(cluster.wait_led_by_others, topic, leader)
        await writers.go_on()
        await asyncio.to_thread(broker.start)
        await asyncio.to_thread(cluster.wait_in_sync, topic)
        await writers.go_on()
        over.set()
    await log.close()
    held = read(kafka, topic, seconds=30)
    ids = Counter(str(Codec.local().decode(record.value).event_id) for record in held)
    at = {record.position: str(Codec.local().decode(record.value).event_id) for record in held}
    assert {event_id: at.get(position) for event_id, position in writers.acknowledged.items()} == {
        event_id: event_id for event_id in writers.acknowledged
    }
    assert set(ids) == set(writers.attempted)

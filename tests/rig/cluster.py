"""A broker cluster of three: embedded, one leader of partitions killed after the other while two go on."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from adapters.settings import KafkaSettings
from ops.stack.kafka import Node, kafka_cluster
from ops.stack.ports import HOST
from ops.stack.postgres import postgres
from ops.stack.programs import Program
from ops.stack.registry import registry
from ops.stack.site import Site
from ops.stack.store import store
from tests.programs import free_port
from tests.servers import Server, Servers, supervised

BROKERS: Final = 3
_LOOK_SECONDS: Final = 0.1


class Cluster:
    """The brokers by number, and who leads what."""

    def __init__(self, bootstrap: str, brokers: Mapping[int, Server]) -> None:
        self.bootstrap = bootstrap
        self.brokers = brokers

    def settings(self, prefix: str, partitions: int) -> KafkaSettings:
        """Three copies of each record, so that two must have it before it is acknowledged."""
        return KafkaSettings(
            bootstrap_servers=self.bootstrap, topic_prefix=prefix, partitions=partitions, replication=BROKERS
        )

    def leaders(self, topic: str) -> dict[int, int]:
        """The broker that leads each partition, as soon as any of them tells; -1 where there is none."""
        return {partition: leader for partition, (leader, _) in self._told(topic).items()}

    def wait_led_by_others(self, topic: str, gone: int, seconds: float = 60.0) -> None:
        """Waits until every partition is led by somebody else."""
        self._until(
            lambda: not {gone, -1} & set(self.leaders(topic).values()), f"no leader but {gone}", seconds
        )

    def wait_in_sync(self, topic: str, seconds: float = 120.0) -> None:
        """Waits until every broker has every partition."""
        self._until(
            lambda: all(in_sync == BROKERS for _, in_sync in self._told(topic).values()),
            "out of sync",
            seconds,
        )

    def _told(self, topic: str) -> dict[int, tuple[int, int]]:
        """Of each partition the leader, and how many copies are in sync."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            partitions = admin.list_topics(topic, timeout=5).topics[topic].partitions
        except KafkaException:
            return {0: (-1, 0)}
        return {number: (found.leader, len(found.isrs)) for number, found in partitions.items()}

    def _until(self, true: Callable[[], bool], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"{what} after {seconds} s"
            time.sleep(_LOOK_SECONDS)


@contextlib.contextmanager
def brokers_alone() -> Iterator[Cluster]:
    """Three brokers, for the while."""
    nodes = _nodes()
    with supervised(lambda site: kafka_cluster(site, nodes)) as (_, servers):
        yield _cluster(nodes, servers)


@contextlib.contextmanager
def whole_servers() -> Iterator[tuple[Servers, Cluster]]:
    """Three brokers with a registry, a store and a database beside them, for the while."""
    nodes = _nodes()

    def programs(site: Site) -> list[Program]:
        return [postgres(site), *kafka_cluster(site, nodes), registry(site), store(site)]

    with supervised(programs) as (addresses, servers):
        cluster = _cluster(nodes, servers)
        addresses |= {"KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap, "KAFKA_REPLICATION": str(BROKERS)}
        yield Servers(addresses, {"kafka": servers["kafka-1"], **servers}), cluster


def _nodes() -> tuple[Node, ...]:
    return tuple(
        Node(id=number, port=free_port(), controller=free_port()) for number in range(1, BROKERS + 1)
    )


def _cluster(nodes: tuple[Node, ...], servers: Mapping[str, Server]) -> Cluster:
    return Cluster(
        ",".join(f"{HOST}:{node.port}" for node in nodes),
        {node.id: servers[f"kafka-{node.id}"] for node in nodes},
    )

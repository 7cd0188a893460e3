"""Apache Kafka, KRaft nodes that are broker and controller at once: one, or a cluster of several."""

import base64
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.stack.failures import ProgramFailed
from ops.stack.jars import KAFKA
from ops.stack.ports import HOST
from ops.stack.probes import kafka_answers
from ops.stack.programs import Kind, Program
from ops.stack.site import FAST, PATIENT, Site, java, server_environment

HEAP = 512
THROWAWAY_HEAP = 320
MOST_COPIES = 3
# Ten years: a group that was away that long may read again from its start.
_OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60

_PROPERTIES = """\
process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=8
offsets.retention.minutes={retention}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
# A node that was killed can't register again before its last session has run out (9 s by default).
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
log.cleaner.dedupe.buffer.size=16777216
# An erasure waits until the cleaner has come by.
log.cleaner.backoff.ms=2000
num.network.threads=2
num.io.threads=4
socket.request.max.bytes=16777216
"""

LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
logger.config.name = org.apache.kafka.common.config.AbstractConfig
logger.config.level = warn
logger.clients.name = org.apache.kafka.clients
logger.clients.level = warn
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One broker: its number, counted from 1, and where it and its controller listen."""

    id: int
    port: int
    controller: int


def kafka(site: Site) -> Program:
    """The broker; its data survives restarts, its controller's port is chosen anew at each."""
    node = Node(id=1, port=site.ports.kafka, controller=site.ports.kafka_controller)
    return _broker(site, "kafka", node, (node,), _cluster_id())


def kafka_cluster(site: Site, nodes: Sequence[Node]) -> list[Program]:
    """Brokers `kafka-1`, `kafka-2` … of one cluster; of three copies two must have what is acknowledged.

    The cluster's identity is made here, so a folder serves one call.
    """
    identity = _cluster_id()
    return [_broker(site, f"kafka-{node.id}", node, nodes, identity) for node in nodes]


def _broker(site: Site, name: str, node: Node, nodes: Sequence[Node], cluster_id: str) -> Program:
    heap = THROWAWAY_HEAP if site.throwaway else HEAP
    properties = site.folder.config / f"{name}.properties"
    return Program(
        name=name,
        kind=Kind.SERVER,
        argv=(*_java(site, heap), "kafka.Kafka", str(properties)),
        cwd=site.folder.root,
        log=site.folder.log_of(name),
        env=server_environment(),
        port=node.port,
        probe=kafka_answers(f"{HOST}:{node.port}"),
        prepare=lambda: _prepare(site, name, node, nodes, cluster_id),
    )


def _java(site: Site, heap: int) -> tuple[str, ...]:
    logging = site.folder.config / "kafka-log4j2.properties"
    classpath = KAFKA.folder(site.folder.cache) / "*"
    compiling = FAST if site.throwaway else PATIENT
    return java(heap, *compiling, f"-Dlog4j2.configurationFile={logging}", "-cp", str(classpath))


def _prepare(site: Site, name: str, node: Node, nodes: Sequence[Node], cluster_id: str) -> None:
    data = site.folder.data / name
    site.config("kafka-log4j2.properties", LOGGING)
    properties = site.config(f"{name}.properties", properties_of(node, nodes, data))
    if not (data / "meta.properties").exists():
        _format(site, properties, cluster_id)


def properties_of(node: Node, nodes: Sequence[Node], data: Path) -> str:
    """The settings of one broker among `nodes`, whose records lie in `data`."""
    copies = min(MOST_COPIES, len(nodes))
    return _PROPERTIES.format(
        host=HOST,
        id=node.id,
        port=node.port,
        controller=node.controller,
        voters=",".join(f"{each.id}@{HOST}:{each.controller}" for each in nodes),
        data=data,
        retention=_OFFSETS_RETENTION_MINUTES,
        copies=copies,
        in_sync=max(1, copies - 1),
    )


def _cluster_id() -> str:
    """A random id as Kafka spells them; none begins with a dash, which its tools take for an option."""
    while (spelled := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return spelled


def _format(site: Site, properties: Path, cluster_id: str) -> None:
    tool = (*_java(site, 128), "kafka.tools.StorageTool", "format")
    command = (*tool, "-t", cluster_id, "-c", str(properties))
    done = subprocess.run(
        command, env=server_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise ProgramFailed(f"Kafka's storage could not be formatted: {(done.stdout + done.stderr).strip()}")

"""Apache Kafka, one KRaft node that is broker and controller at once."""

import base64
import subprocess
import uuid
from pathlib import Path

from ops.stack.failures import ProgramFailed
from ops.stack.jars import KAFKA
from ops.stack.ports import HOST
from ops.stack.probes import kafka_answers
from ops.stack.programs import Kind, Program
from ops.stack.site import FAST, PATIENT, Site, java, server_environment

HEAP = 512
THROWAWAY_HEAP = 320
# Ten years: a group that was away that long may read again from its start.
OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
offsets.retention.minutes={retention}
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
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


def kafka(site: Site) -> Program:
    """The broker; its data survives restarts, its controller's port is chosen anew at each."""
    heap = THROWAWAY_HEAP if site.throwaway else HEAP
    properties = site.folder.config / "kafka.properties"
    return Program(
        name="kafka",
        kind=Kind.SERVER,
        argv=(*_java(site, heap), "kafka.Kafka", str(properties)),
        cwd=site.folder.root,
        log=site.folder.log_of("kafka"),
        env=server_environment(),
        port=site.ports.kafka,
        probe=kafka_answers(f"{HOST}:{site.ports.kafka}"),
        prepare=lambda: _prepare(site),
    )


def _java(site: Site, heap: int) -> tuple[str, ...]:
    logging = site.folder.config / "kafka-log4j2.properties"
    classpath = KAFKA.folder(site.folder.cache) / "*"
    compiling = FAST if site.throwaway else PATIENT
    return java(heap, *compiling, f"-Dlog4j2.configurationFile={logging}", "-cp", str(classpath))


def _prepare(site: Site) -> None:
    data = site.folder.data / "kafka"
    site.config("kafka-log4j2.properties", LOGGING)
    properties = site.config(
        "kafka.properties",
        PROPERTIES.format(
            host=HOST,
            port=site.ports.kafka,
            controller=site.ports.kafka_controller,
            data=data,
            retention=OFFSETS_RETENTION_MINUTES,
        ),
    )
    if not (data / "meta.properties").exists():
        _format(site, properties)


def _cluster_id() -> str:
    """A random id as Kafka spells them; none begins with a dash, which its tools take for an option."""
    while (spelled := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return spelled


def _format(site: Site, properties: Path) -> None:
    tool = (*_java(site, 128), "kafka.tools.StorageTool", "format")
    command = (*tool, "-t", _cluster_id(), "-c", str(properties))
    done = subprocess.run(
        command, env=server_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise ProgramFailed(f"Kafka's storage could not be formatted: {(done.stdout + done.stderr).strip()}")

"""The NestJS peer of the api benchmark as a process: the same database, store, broker and accounts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from ops.stack.products import inherited
from tests.bench.node import peer_command
from tests.bench.partners import Partner
from tests.servers import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom both programs know, by the same address and password."""

    email: str
    password: str
    user_id: UUID


def nest(world: World, accounts: Sequence[Account], node: Path | None) -> Partner:
    """The peer, listening; `ready` is its address. Raises NodeMissing and what npm raises."""
    topic = f"{world.env['TOPIC_PREFIX']}.peer"
    admin = AdminClient({"bootstrap.servers": world.env["KAFKA_BOOTSTRAP_SERVERS"]})
    admin.create_topics([NewTopic(topic, num_partitions=4, replication_factor=1)])[topic].result(20)
    env: Mapping[str, str] = {
        **inherited(),
        **world.env,
        "NODE_ENV": "production",
        "NODE_NO_WARNINGS": "1",
        "PEER_TOPIC": topic,
        "PEER_SECRET": "a secret of this benchmark alone, 64 characters long: 0123456789",
        "PEER_ACCOUNTS": json.dumps([[one.email, str(one.user_id), one.password] for one in accounts]),
    }
    return Partner("nest", peer_command("nest", node=node), env=env)

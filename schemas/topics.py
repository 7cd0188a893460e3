"""The topics of the log: their names under a prefix, and the settings each is created with."""

from collections.abc import Mapping
from dataclasses import dataclass

_DAY_MS = 24 * 60 * 60 * 1000
_KEEP_FOR_EVER = "-1"
_DEAD_LETTER_MS = 90 * _DAY_MS

# A key's old records must be gone from disk within days of an erasure, not "some time".
_KEY_COMPACTION_LAG_MS = _DAY_MS

# The broker's own limit for one record, stated so that a broker-wide change can't move it.
MAX_RECORD_BYTES = 1_048_588

# A dead letter holds a whole record and says on top of it who, where and why.
_MAX_DEAD_LETTER_BYTES = MAX_RECORD_BYTES + 65_536


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics under one prefix; tests and neighbours on one broker differ in it."""

    prefix: str = "darkroom"

    @property
    def assets(self) -> str:
        """Everything that happens to assets and their jobs, keyed by asset id."""
        return f"{self.prefix}.assets.v1"

    @property
    def identity(self) -> str:
        """Everything that happens to accounts, their sessions and keys, keyed by account key."""
        return f"{self.prefix}.identity.v1"

    @property
    def operations(self) -> str:
        """Preset sets and runs, in one partition."""
        return f"{self.prefix}.operations.v1"

    @property
    def subject_keys(self) -> str:
        """People's wrapped data keys, keyed by user id/key id; compacted."""
        return f"{self.prefix}.subject-keys.v1"

    @property
    def dead_letters(self) -> str:
        """Records that no one could work on, under their own key."""
        return f"{self.prefix}.dead-letters.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic as it must be: `config` holds every topic setting that we rely on, as the broker spells it."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def topic_specs(prefix: str, partitions: int, replication: int) -> tuple[TopicSpec, ...]:
    """All topics of one installation; `partitions` holds for those keyed by assets and people.

    A write needs all replicas but one in sync, so that one broker may be away and an acknowledged
    record still stands twice.
    """
    topics = Topics(prefix)
    common = {
        "message.timestamp.type": "LogAppendTime",  # "as of" means the log's time, not a client's
        "min.insync.replicas": str(max(1, replication - 1)),
        "unclean.leader.election.enable": "false",
    }
    log = common | {
        "cleanup.policy": "delete",
        "retention.ms": _KEEP_FOR_EVER,
        "retention.bytes": _KEEP_FOR_EVER,
        "max.message.bytes": str(MAX_RECORD_BYTES),
    }
    keys = common | {
        "cleanup.policy": "compact",
        "max.compaction.lag.ms": str(_KEY_COMPACTION_LAG_MS),
        "min.compaction.lag.ms": "0",
        "min.cleanable.dirty.ratio": "0.01",
        "max.message.bytes": str(MAX_RECORD_BYTES),
    }
    dead = common | {
        "cleanup.policy": "delete",
        "retention.ms": str(_DEAD_LETTER_MS),
        "retention.bytes": _KEEP_FOR_EVER,
        "max.message.bytes": str(_MAX_DEAD_LETTER_BYTES),
    }
    return (
        TopicSpec(name=topics.assets, partitions=partitions, replication=replication, config=log),
        TopicSpec(name=topics.identity, partitions=partitions, replication=replication, config=log),
        TopicSpec(name=topics.operations, partitions=1, replication=replication, config=log),
        TopicSpec(name=topics.subject_keys, partitions=partitions, replication=replication, config=keys),
        TopicSpec(name=topics.dead_letters, partitions=partitions, replication=replication, config=dead),
    )

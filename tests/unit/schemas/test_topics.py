"""The topics keep what they must keep (R27)."""

import pytest

from schemas.catalogue import CATALOGUE
from schemas.codec import MAX_VALUE_BYTES
from schemas.topics import MAX_RECORD_BYTES, Topics, topic_specs

DAY_MS = 86_400_000


def test_names_stand_under_the_prefix() -> None:
    topics = Topics(prefix="mine")
    names = {spec.name for spec in topic_specs("mine", 3, 1)}
    others = {topics.identity, topics.operations, topics.subject_keys, topics.dead_letters}
    assert names == {topics.assets, *others}
    assert Topics().assets == "darkroom.assets.v1"
    assert {row.topic_name(topics) for row in CATALOGUE} <= names


@pytest.mark.parametrize("name", ["assets", "identity", "operations"])
def test_logs_are_kept_for_ever(name: str) -> None:
    spec = next(spec for spec in topic_specs("darkroom", 12, 3) if spec.name == getattr(Topics(), name))
    assert spec.config["cleanup.policy"] == "delete"
    assert (spec.config["retention.ms"], spec.config["retention.bytes"]) == ("-1", "-1")


def test_partitions_are_as_asked_but_operations_have_one_order() -> None:
    counts = {spec.name: spec.partitions for spec in topic_specs("darkroom", 7, 1)}
    assert counts.pop(Topics().operations) == 1
    assert set(counts.values()) == {7}


def test_keys_are_compacted_in_bounded_time() -> None:
    spec = next(spec for spec in topic_specs("darkroom", 12, 1) if spec.name == Topics().subject_keys)
    assert spec.config["cleanup.policy"] == "compact"
    assert 0 < int(spec.config["max.compaction.lag.ms"]) <= 7 * DAY_MS
    assert "retention.ms" not in spec.config


def test_dead_letters_go_after_ninety_days_and_hold_a_whole_record() -> None:
    spec = next(spec for spec in topic_specs("darkroom", 12, 1) if spec.name == Topics().dead_letters)
    assert spec.config["retention.ms"] == str(90 * DAY_MS)
    assert int(spec.config["max.message.bytes"]) > MAX_RECORD_BYTES > MAX_VALUE_BYTES


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "4")])
def test_a_write_needs_all_replicas_but_one(replication: int, in_sync: str) -> None:
    for spec in topic_specs("darkroom", 12, replication):
        assert spec.replication == replication
        assert spec.config["min.insync.replicas"] == in_sync
        assert spec.config["message.timestamp.type"] == "LogAppendTime"
        assert spec.config["unclean.leader.election.enable"] == "false"

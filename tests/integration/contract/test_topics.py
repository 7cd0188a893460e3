"""Topics on a real broker: created with their settings, checked, and refused when they differ."""

import dataclasses
import json
import threading
import time

import pytest

from adapters.settings import Settings
from adapters.topics import (
    BrokerUnreachable,
    Difference,
    ObservedTopic,
    TopicAdmin,
    TopicDrift,
    compare,
    require_topics,
    specs_of,
)
from schemas.topics import TopicSpec
from tests.integration.contract.commands import run_ops, start_ops
from tests.servers import PARTITIONS, Servers, World

NOBODY = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}


@pytest.fixture
def fresh(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world of the test's own: topics can't be made twice."""
    return World(servers=servers, env=servers.environment(), folder=tmp_path_factory.mktemp("world"))


def differences(settings: Settings) -> tuple[Difference, ...]:
    specs = specs_of(settings.kafka)
    return compare(specs, TopicAdmin(settings.kafka).observe(spec.name for spec in specs)).differences


def spoil(settings: Settings, topic: str, setting: str, value: str) -> None:
    """Sets a topic's setting to what it must not be."""
    admin = TopicAdmin(settings.kafka)
    admin.alter([Difference(topic=topic, setting=setting, actual="", wanted=value)])
    deadline = time.monotonic() + 40
    while admin.observe([topic])[topic].config[setting] != value:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_planned_applied_and_checked(fresh: World) -> None:
    settings = fresh.settings()
    names = [spec.name for spec in specs_of(settings.kafka)]

    planned = run_ops(fresh, "topics", "plan", "--json")
    assert planned.returncode == 0, planned.stderr
    assert [topic["topic"] for topic in json.loads(planned.stdout)["missing"]] == names
    missing = run_ops(fresh, "topics", "check")
    assert missing.returncode == 3
    assert all(f"Topic {name} is missing." in missing.stderr for name in names)

    applied = run_ops(fresh, "topics", "apply", "--json")
    assert applied.returncode == 0, applied.stderr
    assert json.loads(applied.stdout) == {"created": names}
    again = run_ops(fresh, "topics", "apply", "--json")
    assert (again.returncode, json.loads(again.stdout)) == (0, {"created": []})
    checked = run_ops(fresh, "topics", "check", "--json")
    assert (checked.returncode, json.loads(checked.stdout)) == (0, {"missing": [], "differences": []})
    require_topics(settings)


def test_topics_are_made_as_they_must_be(fresh: World) -> None:
    """What the broker says of them, setting by setting, not what our comparison thinks."""
    settings = fresh.settings()
    assert run_ops(fresh, "topics", "apply").returncode == 0
    topics = settings.kafka.topics
    observed = TopicAdmin(settings.kafka).observe(spec.name for spec in specs_of(settings.kafka))
    assert observed[topics.assets].partitions == PARTITIONS
    assert observed[topics.operations].partitions == 1
    for name in (topics.assets, topics.operations):
        config = observed[name].config
        assert (config["retention.ms"], config["cleanup.policy"]) == ("-1", "delete")
        assert config["message.timestamp.type"] == "LogAppendTime"
    assert observed[topics.subject_keys].config["cleanup.policy"] == "compact"
    assert int(observed[topics.subject_keys].config["max.compaction.lag.ms"]) < 2**62
    assert observed[topics.dead_letters].config["retention.ms"] == str(90 * 86_400_000)


def test_drift_is_refused_and_set_right_on_demand(fresh: World) -> None:
    settings = fresh.settings()
    assert run_ops(fresh, "topics", "apply").returncode == 0
    topic = settings.kafka.topics.assets
    spoil(settings, topic, "retention.ms", "1000")

    for words in (("check",), ("plan",), ("apply",)):
        refused = run_ops(fresh, "topics", *words)
        assert refused.returncode == 3, words
        assert f"Topic {topic} has retention.ms 1000, and must have -1." in refused.stderr
    with pytest.raises(TopicDrift, match=r"retention\.ms 1000"):
        require_topics(settings)
    assert [one.setting for one in differences(settings)] == ["retention.ms"]

    altered = run_ops(fresh, "topics", "apply", "--alter")
    assert altered.returncode == 0, altered.stderr
    assert differences(settings) == ()
    require_topics(settings)


def test_another_partition_count_is_never_touched(fresh: World) -> None:
    assert run_ops(fresh, "topics", "apply").returncode == 0
    more = str(PARTITIONS + 1)
    refused = run_ops(fresh, "topics", "apply", "--alter", KAFKA_PARTITIONS=more)
    assert refused.returncode == 3
    assert f"has partitions {PARTITIONS}, and must have {more}" in refused.stderr
    with pytest.raises(TopicDrift, match="fixed when a topic is created"):
        require_topics(fresh.settings(KAFKA_PARTITIONS=more))
    assert differences(fresh.settings()) == ()


def test_too_few_replicas_are_refused(fresh: World) -> None:
    assert run_ops(fresh, "topics", "apply").returncode == 0
    with pytest.raises(TopicDrift, match="replication 1, and must have 3"):
        require_topics(fresh.settings(KAFKA_REPLICATION="3"))


def test_more_replicas_than_brokers_are_refused_in_a_sentence(fresh: World) -> None:
    refused = run_ops(fresh, "topics", "apply", KAFKA_REPLICATION="9")
    assert refused.returncode == 3
    assert "The brokers refused" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_topics_are_created_once_in_a_race(fresh: World) -> None:
    """R25: whoever starts first, and however many at once."""
    racers = [start_ops(fresh, "topics", "apply") for _ in range(3)]
    for racer in racers:
        _, errors = racer.communicate(timeout=90)
        assert racer.returncode == 0, errors
    assert differences(fresh.settings()) == ()


def test_missing_topics_are_refused_after_a_moments_grace(fresh: World) -> None:
    began = time.monotonic()
    with pytest.raises(TopicDrift, match="is missing"):
        require_topics(fresh.settings())
    assert time.monotonic() - began > 3


def test_a_broker_that_does_not_answer(fresh: World) -> None:
    began = time.monotonic()
    left = run_ops(fresh, "topics", "check", "--wait", "1", **NOBODY)
    assert (left.returncode, time.monotonic() - began < 40) == (1, True)
    assert "A broker at 127.0.0.1:9 can't be reached" in left.stderr
    assert "Traceback" not in left.stderr
    stop = threading.Event()
    stop.set()
    with pytest.raises(BrokerUnreachable):
        require_topics(fresh.settings(**NOBODY), stop=stop)


def test_a_broker_that_comes_later_is_waited_for(fresh: World) -> None:
    assert run_ops(fresh, "topics", "apply").returncode == 0
    done = threading.Event()

    def wait() -> None:
        require_topics(fresh.settings())
        done.set()

    waiting = threading.Thread(target=wait, daemon=True)
    with fresh.servers.kafka.down():
        waiting.start()
        assert not done.wait(3)
    assert done.wait(60)
    waiting.join(10)


def test_more_replicas_than_wanted_are_no_fault() -> None:
    spec = TopicSpec(name="t", partitions=1, replication=2, config={"retention.ms": "-1"})
    seen = {"t": dataclasses.replace(_observed(spec), replication=3)}
    assert compare([spec], seen).sentences == ()


def _observed(spec: TopicSpec) -> ObservedTopic:
    return ObservedTopic(
        name=spec.name, partitions=spec.partitions, replication=spec.replication, config=spec.config
    )

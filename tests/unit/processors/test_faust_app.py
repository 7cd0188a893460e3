"""That the Faust app is configured against each trap that was met, and hands over records as they are."""

from dataclasses import replace
from pathlib import Path

import faust
import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import KafkaConnectionError, KafkaError, UnknownError
from faust.types import TP, Message

from adapters.settings import load_settings
from adapters.telemetry import Loop, Metrics
from processors.faust_app.app import AppConfig, UncompiledFaust, build_app, leave_for_good, record_of
from processors.faust_app.assignor import TopicUnknown, WholeAssignor
from processors.faust_app.brokers import broker_list, credentials
from processors.faust_app.member import GroupMember, _crash
from processors.interruptible import Interruptible
from processors.look_ahead import KafkaLookAhead
from processors.outages import Waits
from schemas.codec import Codec
from schemas.envelope import RawRecord


async def take(_record: RawRecord, _work: Interruptible) -> bool:
    return True


def config(folder: Path) -> AppConfig:
    return AppConfig(
        brokers=("one:9092", "two:9092"),
        credentials=None,
        group="darkroom.variants",
        instance_id="darkroom.variants-3",
        topic="darkroom.assets.v1",
        session=10.0,
        idle_limit=60.0,
        folder=folder,
    )


def test_every_trap_has_its_setting(tmp_path: Path) -> None:
    """The table of Faust's traps, row by row."""
    heard: list[frozenset[int]] = []
    app = build_app(config(tmp_path), take=take, assigned=heard.append)
    app.finalize()
    conf = app.conf
    (agent,) = app.agents.values()
    assert (agent.isolated_partitions, agent.concurrency) == (True, 1)
    assert (conf.stream_buffer_maxsize, conf.broker_max_poll_records) == (16, 16)
    assert conf.broker_max_poll_interval == 86_400
    assert str(conf.processing_guarantee.value) == "at_least_once"
    assert (conf.topic_allow_declare, conf.topic_disable_leader, conf.web_enabled) == (False, True, False)
    assert (conf.consumer_group_instance_id, conf.broker_session_timeout) == ("darkroom.variants-3", 10.0)
    assert conf.producer_request_timeout == 15.0
    assert conf.consumer_auto_offset_reset == "earliest"
    assert [str(url) for url in conf.broker] == ["kafka://one:9092", "kafka://two:9092"]


def test_without_the_compiled_iterator_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its twin in Python acknowledges records that it skips in a rebalance."""
    monkeypatch.setattr("faust.streams._CStreamIterator", None)
    with pytest.raises(UncompiledFaust):
        build_app(config(tmp_path), take=take, assigned=lambda _partitions: None)


@pytest.mark.parametrize("value", [None, b"", b"\0\0\0\0\x01bytes"])
def test_a_record_arrives_as_it_is(value: bytes | None) -> None:
    headers = [("lane", b"live"), ("lane", b"bulk")]
    message = Message("t", 3, 7, 1.5, 1, headers, b"key", value, None, tp=TP("t", 3))
    assert record_of(message) == RawRecord(
        topic="t",
        partition=3,
        offset=7,
        timestamp_ms=1500,
        key=b"key",
        value=value,
        headers=(("lane", b"live"), ("lane", b"bulk")),
    )


def test_brokers_and_credentials_are_those_of_the_settings() -> None:
    plain = load_settings({"KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2"}).kafka
    assert broker_list(plain) == ("a:1", "b:2")
    assert credentials(plain) is None
    secured = load_settings(
        {"KAFKA_SECURITY_PROTOCOL": "sasl_ssl", "KAFKA_USERNAME": "ada", "KAFKA_PASSWORD": "secret"}
    ).kafka
    found = credentials(secured)
    assert isinstance(found, faust.SASLCredentials)
    assert (found.username, found.password, str(found.mechanism.value)) == ("ada", "secret", "SCRAM-SHA-512")
    assert found.ssl_context is not None


async def test_who_never_joined_leaves_for_good_too(tmp_path: Path) -> None:
    """Told to go while it was still starting."""
    app = build_app(config(tmp_path), take=take, assigned=lambda _partitions: None)
    await leave_for_good(app)
    assert app._consumer is None


def test_a_fenced_member_says_what_to_look_at() -> None:
    assert "WORKER_SLOT" in _crash(KafkaError(UnknownError()))
    assert "WORKER_SLOT" not in _crash(KafkaError("anything else"))


def test_a_leader_that_knows_no_topic_deals_out_nothing(tmp_path: Path) -> None:
    """R17: after a broker's restart everybody would hold no partition, for good; so it starts anew."""
    assignor = build_app(config(tmp_path), take=take, assigned=lambda _partitions: None).assignor
    assert isinstance(assignor, WholeAssignor)
    member = ConsumerProtocolMemberMetadata(0, ["darkroom.assets.v1"], assignor.metadata(set()).user_data)
    with pytest.raises(TopicUnknown):
        assignor.assign(ClusterMetadata(), {"one": member})


async def test_brokers_that_go_away_while_a_worker_joins_are_tried_again(tmp_path: Path) -> None:
    """R25: it leaves to be started anew, and does not end as something that is beyond help."""
    left: list[str] = []

    class Nothing:
        in_hand = 0

        def passes(self, _record: RawRecord) -> bool:
            return False

        async def take(self, _record: RawRecord, _work: Interruptible) -> bool:
            return True

    metrics = Metrics().worker
    look_ahead = KafkaLookAhead(
        lambda: pytest.fail("nobody looks"),
        Codec.local().decode,
        metrics=metrics,
        loop=Loop(),
        died=lambda error: left.append(str(error)),
    )
    nowhere = replace(config(tmp_path), brokers=("127.0.0.1:1",))
    kafka = load_settings({"DARKROOM_ENV": "development"}).kafka
    member = GroupMember(
        nowhere,
        kafka,
        reactor=Nothing(),
        look_ahead=look_ahead,
        metrics=metrics,
        leave=left.append,
        waits=Waits(Loop()),
    )
    with pytest.raises(KafkaConnectionError):
        await member.start()
    assert left == ["the brokers went away while it joined its group: KafkaConnectionError"]
    await member.stop(for_good=False)
    await member.close()

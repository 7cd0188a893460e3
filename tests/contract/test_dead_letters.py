"""The contract of dead letters, met by those in memory and by Kafka."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from adapters.dead_letters import (
    DeadLetterNotWritten,
    DeadLetters,
    InMemoryDeadLetters,
    KafkaDeadLetters,
    Reason,
)
from adapters.telemetry import Metrics
from schemas.envelope import RawRecord, read_headers
from tests.contract.ground import make_topics, read
from tests.servers import World

Seen = list[tuple[bytes | None, bytes | None, dict[str, str]]]

RECORD = RawRecord(
    topic="darkroom.assets.v1",
    partition=3,
    offset=4711,
    timestamp_ms=1_700_000_000_000,
    key=b"a key",
    value=b"\x00\x00\x00\x00\x63garbage \xff",
    headers=[("ce_type", b"darkroom.assets.UploadCompleted"), ("ce_id", b"\xff\xfe"), ("dl-code", b"forged")],
)
REASON = Reason(
    component="projector",
    code="unknown_schema_id",
    error_kind="undecodable",
    first_failed_at=datetime(2026, 1, 2, tzinfo=UTC),
    last_failed_at=datetime(2026, 1, 2, 0, 0, 9, tzinfo=UTC),
    attempts=3,
    stack_hash="abc",
    encoder="pillow 12",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Dead letters, and what key, value and headers each has."""

    letters: DeadLetters
    seen: Callable[[], Seen]


@pytest.fixture(scope="module")
def prepared(world: World) -> World:
    make_topics(world.settings().kafka)
    return world


@pytest.fixture(params=["memory", "kafka"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "memory":
        memory = InMemoryDeadLetters()
        yield Subject(
            memory, lambda: [(kept.record.key, kept.record.value, kept.headers) for kept in memory.letters]
        )
        return
    kafka = request.getfixturevalue("prepared").settings().kafka
    letters = KafkaDeadLetters(kafka, metrics=Metrics().log)
    yield Subject(
        letters,
        lambda: [(r.key, r.value, read_headers(r.headers)) for r in read(kafka, kafka.topics.dead_letters)],
    )
    letters.close()


async def test_a_letter_holds_the_bytes_as_they_were_and_says_whence_and_why(subject: Subject) -> None:
    await subject.letters.append(RECORD, REASON)
    (key, value, headers), *_ = [seen for seen in subject.seen() if seen[0] == RECORD.key]
    assert (key, value) == (RECORD.key, RECORD.value)
    assert headers == {
        "dl-component": "projector",
        "dl-code": "unknown_schema_id",
        "dl-error-kind": "undecodable",
        "dl-topic": "darkroom.assets.v1",
        "dl-partition": "3",
        "dl-offset": "4711",
        "dl-timestamp": "1700000000000",
        "dl-attempts": "3",
        "dl-first-failed-at": "2026-01-02T00:00:00+00:00",
        "dl-last-failed-at": "2026-01-02T00:00:09+00:00",
        "dl-encoder": "pillow 12",
        "dl-value": "14 bytes",
        "dl-stack-hash": "abc",
        "ce_type": "darkroom.assets.UploadCompleted",
    }


@pytest.mark.parametrize("value", [None, b"", bytes(1_048_000)], ids=["null", "empty", "largest"])
def test_whatever_the_value_is_it_is_kept_without_an_event_loop_too(
    subject: Subject, value: bytes | None
) -> None:
    key = f"{len(value) if value is not None else 'null'}".encode()
    subject.letters.append_sync(replace(RECORD, key=key, value=value), REASON)
    (kept,) = [seen for seen in subject.seen() if seen[0] == key]
    assert kept[1] == value
    assert kept[2]["dl-value"] == ("null" if value is None else f"{len(value)} bytes")


def test_a_record_without_a_key_and_with_a_thousand_headers_is_kept(subject: Subject) -> None:
    headers = [(f"h{number}", b"x" * 2000 if number % 2 else b"x") for number in range(1000)]
    subject.letters.append_sync(replace(RECORD, key=None, headers=headers), REASON)
    (kept,) = [seen for seen in subject.seen() if seen[0] is None]
    assert len(kept[2]) < 60


async def test_letters_that_can_not_be_written_say_so(world: World) -> None:
    kafka = world.settings(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1").kafka
    nowhere, memory = KafkaDeadLetters(kafka, metrics=Metrics().log), InMemoryDeadLetters(failing=True)
    for letters in (nowhere, memory):
        with pytest.raises(DeadLetterNotWritten):
            await letters.append(RECORD, REASON)
        with pytest.raises(DeadLetterNotWritten):
            await asyncio.to_thread(letters.append_sync, RECORD, REASON)
    await asyncio.to_thread(nowhere.close)


def test_letters_are_counted_by_their_code(prepared: World) -> None:
    metrics = Metrics()
    letters = KafkaDeadLetters(prepared.settings().kafka, metrics=metrics.log)
    letters.append_sync(RECORD, REASON)
    letters.close()
    counted = metrics.registry.get_sample_value("darkroom_dead_letters_total", {"code": "unknown_schema_id"})
    assert counted == 1

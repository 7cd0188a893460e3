"""The contract of reading dead letters, met by those in memory and by Kafka."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.dead_letters import (
    DeadLetters,
    InMemoryDeadLetters,
    KafkaDeadLetters,
    KafkaLetterBox,
    Letter,
    LetterBox,
    LettersUnreadable,
    Reason,
    Wanted,
)
from adapters.telemetry import Metrics
from schemas.envelope import RawRecord
from tests.contract.ground import make_topics
from tests.servers import World

BEGIN = datetime(2026, 1, 2, tzinfo=UTC)
REASON = Reason(component="variants", code="unexpected_error", error_kind="internal", first_failed_at=BEGIN)


@dataclass(frozen=True, slots=True)
class Subject:
    """Where letters are written, and where they are read."""

    letters: DeadLetters
    box: LetterBox


@pytest.fixture(scope="module")
def prepared(world: World) -> World:
    make_topics(world.settings().kafka)
    return world


@pytest.fixture(scope="module", params=["memory", "kafka"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "memory":
        memory = InMemoryDeadLetters()
        yield Subject(memory, memory)
        return
    kafka = request.getfixturevalue("prepared").settings().kafka
    letters = KafkaDeadLetters(kafka, metrics=Metrics().log)
    yield Subject(letters, KafkaLetterBox(kafka))
    letters.close()


def record(number: int, value: bytes | None = b"bytes") -> RawRecord:
    return RawRecord(
        topic="darkroom.assets.v1",
        partition=3,
        offset=number,
        timestamp_ms=1_700_000_000_000,
        key=f"key {number}".encode(),
        value=value,
        headers=[("ce_type", b"darkroom.assets.UploadCompleted"), ("jobid", b"a job")],
    )


def write(subject: Subject, *numbers: int) -> None:
    for number in numbers:
        at = BEGIN + timedelta(seconds=number)
        subject.letters.append_sync(record(number), replace(REASON, last_failed_at=at))


def among(numbers: range) -> Wanted:
    return lambda letters: [letter.record.offset in numbers for letter in letters]


def test_pages_give_each_letter_once_newest_first(subject: Subject) -> None:
    write(subject, *range(100, 130))
    found: list[Letter] = []
    rest = None
    for _ in range(10):
        page = subject.box.page(among(range(100, 130)), limit=7, before=rest)
        assert len(page.letters) <= 7
        found += page.letters
        rest = page.rest
        write(subject, 131)  # what comes meanwhile is on none of the later pages
        if not rest:
            break
    assert sorted(letter.record.offset for letter in found) == list(range(100, 130))
    times = [letter.written_at for letter in found]
    assert times == sorted(times, reverse=True)
    assert {letter.record.value for letter in found} == {None}
    assert {letter.said_value for letter in found} == {"5 bytes"}


def test_one_letter_says_everything(subject: Subject) -> None:
    reason = replace(
        REASON,
        last_failed_at=BEGIN + timedelta(seconds=9),
        attempts=3,
        stack_hash="abc",
        encoder="pillow 12",
    )
    subject.letters.append_sync(record(200, b"\0whole"), reason)
    (listed,) = subject.box.page(among(range(200, 201)), limit=10).letters
    letter = subject.box.letter(listed.letter_id)
    assert letter is not None
    assert (letter.record, letter.reason) == (record(200, b"\0whole"), reason)
    assert listed == letter.without_value()


def test_a_null_value_is_no_empty_one(subject: Subject) -> None:
    subject.letters.append_sync(record(300, None), REASON)
    subject.letters.append_sync(record(301, b""), REASON)
    pages = [subject.box.page(among(range(number, number + 1)), limit=1).letters for number in (300, 301)]
    values = [subject.box.letter(letter.letter_id) for (letter,) in pages]
    assert [value.record.value if value else "gone" for value in values] == [None, b""]


@pytest.mark.parametrize("letter_id", ["", "-", "0", "a-b", "0-99999999", "99-0", "0--1", "9" * 30 + "-1"])
def test_what_is_no_letters_id_names_none(subject: Subject, letter_id: str) -> None:
    assert subject.box.letter(letter_id) is None


def test_letters_of_a_topic_that_is_away_can_not_be_read(world: World) -> None:
    box = KafkaLetterBox(world.settings(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1").kafka, patience=0.5)
    with pytest.raises(LettersUnreadable):
        box.letter("0-0")

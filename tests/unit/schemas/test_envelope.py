"""Headers, keys and topics: what travels with an event."""

import dataclasses
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import by_class
from schemas.codec import Codec
from schemas.envelope import Metadata, RawRecord, headers_for, key_of, read_headers, topic_of
from schemas.positions import Position
from schemas.topics import Topics
from tests.golden.examples import ASSET_ID, EXAMPLES, JOB_ID, KEY_ID, OWNER_ID, PRESET_SET
from tests.golden.identity_examples import ACCOUNT_KEY
from tests.unit.schemas.strategies import any_event

METADATA = Metadata(
    correlation_id=UUID(int=1),
    causation_id=UUID(int=2),
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    source="/api",
)
BY_NAME = {type(event).__name__: event for event in EXAMPLES}


def told(event: Any, metadata: Metadata = METADATA) -> dict[str, str]:
    return read_headers(headers_for(event, metadata))


@given(any_event())
def test_headers_are_text_and_each_name_stands_once(event: Any) -> None:
    headers = headers_for(event, METADATA)
    assert len({name for name, _ in headers}) == len(headers)
    assert all(isinstance(value.decode(), str) for _, value in headers)
    assert all(name.isascii() and name == name.lower() for name, _ in headers)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_cloud_events_in_binary_mode(event: Any) -> None:
    row = by_class()[type(event)]
    headers = told(event)
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == str(event.event_id)
    assert headers["ce_type"] == row.full_name
    assert headers["ce_source"] == "/api"
    assert headers["ce_time"] == "2026-11-21T12:34:56.789012+00:00"
    assert headers["ce_subject"] == key_of(event).decode()
    assert headers["schemaversion"] == str(row.newest)
    assert headers["correlationid"] == str(UUID(int=1))
    assert headers["causationid"] == str(UUID(int=2))
    assert headers["traceparent"] == METADATA.traceparent


def test_what_consumers_decide_by_comes_from_the_event() -> None:
    """An event that tells a thing itself is right; metadata only fills in."""
    metadata = dataclasses.replace(
        METADATA, lane="bulk", job_id=UUID(int=9), attempt=9, will_retry=True, causation_id=None
    )
    started = told(BY_NAME["ProcessingStarted"], metadata)
    assert (started["lane"], started["jobid"], started["attempt"]) == ("live", str(JOB_ID), "1")
    ready = told(BY_NAME["VariantsReady"], metadata)
    assert (ready["lane"], ready["jobid"], ready["attempt"]) == ("bulk", str(JOB_ID), "2")
    failed = told(BY_NAME["ProcessingFailed"], METADATA)
    assert (failed["willretry"], failed["attempt"]) == ("false", "1")
    assert told(BY_NAME["UploadCompleted"])["lane"] == "live"
    assert told(BY_NAME["UploadCompleted"])["jobid"] == str(JOB_ID)


def test_what_has_no_value_has_no_header() -> None:
    headers = told(BY_NAME["UploadRequested"], Metadata(correlation_id=UUID(int=1), source="/api"))
    assert headers.keys().isdisjoint({"causationid", "traceparent", "lane", "jobid", "attempt", "willretry"})


def test_keys_and_topics() -> None:
    topics = Topics(prefix="p")
    for name in (
        "UploadRequested",
        "UploadCompleted",
        "ProcessingStarted",
        "VariantsReady",
        "ProcessingFailed",
        "AssetPurged",
    ):
        assert key_of(BY_NAME[name]) == str(ASSET_ID).encode()
        assert topic_of(BY_NAME[name], topics) == "p.assets.v1"
    for name in ("PresetSetDefined", "PresetSetActivated"):
        assert key_of(BY_NAME[name]) == PRESET_SET.encode()
        assert topic_of(BY_NAME[name], topics) == "p.operations.v1"
    for name in ("UserRegistered", "SessionRefreshed", "SubjectErased", "ErasureCompleted"):
        assert key_of(BY_NAME[name]) == ACCOUNT_KEY.encode()
        assert topic_of(BY_NAME[name], topics) == "p.identity.v1"
    assert key_of(BY_NAME["SubjectKey"]) == f"{OWNER_ID}/{KEY_ID}".encode()
    assert topic_of(BY_NAME["SubjectKey"], topics) == "p.subject-keys.v1"


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        (None, {}),
        ([], {}),
        ([("a", b"1"), ("a", b"2")], {"a": "2"}),
        ([("a", b"\xff"), ("b", b"1")], {"b": "1"}),
        ([("a", b"1"), ("a", b"\xff")], {"a": "1"}),
        ([("a", None), ("b", "text")], {"b": "text"}),
        ({"a": b"1", "b": None}, {"a": "1"}),
    ],
)
def test_strange_headers_are_read_as_far_as_they_go(headers: Any, read: dict[str, str]) -> None:
    assert read_headers(headers) == read


@given(st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5))))
def test_any_headers_can_be_read(headers: list[tuple[str, bytes | None]]) -> None:
    assert read_headers(headers).keys() <= {name for name, _ in headers}


def test_nothing_personal_stands_in_the_open() -> None:
    """Sealed fields are bytes; of a person headers show ids alone."""
    for event in EXAMPLES:
        sealed = {name for name in type(event).__slots__ if name.startswith("sealed_")}
        assert all(isinstance(getattr(event, name), bytes | None) for name in sealed)
        assert "sealed" not in " ".join(told(event).values())


def test_a_record_knows_its_place() -> None:
    value = Codec.local().encode(EXAMPLES[0])
    record = RawRecord(
        topic="t", partition=3, offset=7, timestamp_ms=1, key=b"k", value=value, headers=[("a", b"1")]
    )
    assert record.position == Position(topic="t", partition=3, offset=7)

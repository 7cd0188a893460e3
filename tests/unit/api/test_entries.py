"""What a live stream says of each kind of event: every kind is told, or left out on purpose."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import pytest

from api.notifications.describe import describe_stream
from api.notifications.entries import RECONNECT, RESET, kind_of
from projections.activity.queries import ActivityRow
from schemas.events import AssetEvent

NOW = datetime(2026, 5, 17, tzinfo=UTC)
TOLD = {
    "UploadCompleted": "asset.uploaded",
    "ProcessingStarted": "asset.processing",
    "VariantsReady": "asset.ready",
    "VariantsRequested": "job.queued",
    "JobDeleted": "job.deleted",
    "AssetUpdated": "asset.updated",
    "AssetRestored": "asset.updated",
    "UploadExpired": "asset.updated",
    "AssetDeleted": "asset.deleted",
    "AssetPurged": "asset.deleted",
}
# Nothing to show yet; or of links, sets that were replaced long ago, and records that nobody can read.
LEFT_OUT = {"UploadRequested", "VariantsRetired", "LinkIssued", "LinkRevoked", "RecordDiscarded"}


def row(event_type: str, *, accepted: bool = True, **data: object) -> ActivityRow:
    blank: dict[str, Any] = {each.name: None for each in fields(ActivityRow)}
    said = {"event_type": event_type, "asset_id": UUID(int=1), "owner_id": UUID(int=2), "occurred_at": NOW}
    return ActivityRow(**blank | said | {"accepted": accepted, "data": data})


def test_every_event_is_told_or_left_out_on_purpose() -> None:
    names = {event.__name__ for event in get_args(AssetEvent)}
    assert names == TOLD.keys() | LEFT_OUT | {"ProcessingFailed"}
    assert {name: kind_of(row(name)) for name in TOLD} == TOLD
    assert {kind_of(row(name)) for name in LEFT_OUT} == {None}


@pytest.mark.parametrize("name", [*TOLD, "ProcessingFailed"])
def test_what_the_fold_ignored_is_not_told(name: str) -> None:
    assert kind_of(row(name, accepted=False)) is None


def test_an_upload_that_was_called_off_is_gone_and_one_that_never_came_is_expired() -> None:
    """In favour of a twin, or by its owner: no list holds it any more."""
    never_came = replace(row("UploadExpired", status="expired"), code="expired")
    assert kind_of(never_came) == "asset.updated"
    assert kind_of(replace(never_came, code="aborted")) == "asset.deleted"


def test_failures_are_told_by_what_they_mean() -> None:
    assert kind_of(row("ProcessingFailed", will_retry=True, status="processing")) == "job.retrying"
    assert kind_of(row("ProcessingFailed", will_retry=False, status="failed")) == "asset.failed"
    assert kind_of(row("ProcessingFailed", will_retry=False, status="ready")) == "job.failed"


def test_the_description_names_all_that_is_said() -> None:
    (path,) = describe_stream().values()
    events: Any = path["get"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    kinds = set(events["properties"]["data"]["contentSchema"]["properties"]["type"]["enum"])
    said = {*TOLD.values(), "asset.failed", "job.retrying", "job.failed", RESET, RECONNECT}
    assert kinds == said

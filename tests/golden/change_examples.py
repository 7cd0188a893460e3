"""One event of each type that came after the main job, with fixed values: what the golden bytes say."""

from datetime import UTC, datetime
from typing import Any, Final

from schemas.events import (
    AssetDeleted,
    AssetEvent,
    AssetRestored,
    AssetUpdated,
    JobDeleted,
    LinkIssued,
    LinkRevoked,
    OperationsEvent,
    RecordDiscarded,
    RunCancelled,
    RunCompleted,
    RunCounts,
    RunPaused,
    RunResumed,
    RunStarted,
    UploadExpired,
    VariantsRequested,
    VariantsRetired,
    WorkersResumed,
)
from tests.golden.ids import (
    ASSET_ID,
    AT,
    EVENT_ID,
    JOB_ID,
    KEY_ID,
    LINK_ID,
    ORIGINAL,
    OWNER_ID,
    PRESET_SET,
    RUN_ID,
    UPLOAD_ID,
)

_COMMON: Final[dict[str, Any]] = {
    "event_id": EVENT_ID,
    "occurred_at": AT,
    "asset_id": ASSET_ID,
    "owner_id": OWNER_ID,
}
_PERSON: Final[dict[str, Any]] = {**_COMMON, "actor_id": OWNER_ID, "expected_version": 2}
_RUN: Final[dict[str, Any]] = {
    "event_id": EVENT_ID,
    "occurred_at": AT,
    "run_id": RUN_ID,
    "actor_id": OWNER_ID,
}

CHANGE_EXAMPLES: Final[tuple[AssetEvent, ...]] = (
    UploadExpired(**_COMMON, upload_id=UPLOAD_ID, code="expired"),
    VariantsRequested(
        **_PERSON,
        request_hash=bytes(range(32)),
        job_id=JOB_ID,
        lane="bulk",
        reason="regenerate",
        object_key=ORIGINAL,
        size=3_456_789,
        sealed_digests=b"\x01sealed digests",
        data_key_id=KEY_ID,
        preset_set=PRESET_SET,
        run_id=RUN_ID,
    ),
    VariantsRetired(
        **_COMMON,
        job_id=JOB_ID,
        preset_set=PRESET_SET,
        manifest_key=f"assets/{ASSET_ID}/variants/Zm9vYmFy/9f56c7f2b7ac-0123abcd/manifest.json",
        run_id=RUN_ID,
    ),
    JobDeleted(**_PERSON, job_id=JOB_ID),
    AssetUpdated(**_PERSON, sealed_words=b"\x01sealed words", changed=("title", "tags")),
    AssetDeleted(**_PERSON, code="user"),
    AssetRestored(**_PERSON, code="admin"),
    LinkIssued(
        **_PERSON,
        link_id=LINK_ID,
        variant="small",
        expires_at=datetime(2026, 12, 21, 12, 34, 56, 789012, tzinfo=UTC),
    ),
    LinkRevoked(**_PERSON, link_id=LINK_ID),
    RecordDiscarded(
        **_COMMON,
        actor_id=OWNER_ID,
        topic="darkroom.assets.v1",
        partition=7,
        offset=1234,
        component="projector",
    ),
)
RUN_EXAMPLES: Final[tuple[OperationsEvent, ...]] = (
    RunStarted(
        **_RUN,
        request_hash=bytes(range(32)),
        kind="regenerate",
        filter='{"status":"ready"}',
        preset_set=PRESET_SET,
        owner_id=OWNER_ID,
    ),
    RunPaused(**_RUN, expected_version=1),
    RunResumed(**_RUN, expected_version=2),
    RunCancelled(**_RUN, expected_version=3),
    RunCompleted(
        event_id=EVENT_ID,
        occurred_at=AT,
        run_id=RUN_ID,
        counts=RunCounts(requested=500, completed=497, failed=3, skipped=12),
    ),
    WorkersResumed(event_id=EVENT_ID, occurred_at=AT, actor_id=OWNER_ID, component="variants"),
)

"""One event of each type with fixed values: what the golden bytes say."""

from datetime import UTC, datetime
from typing import Final

from schemas.events import (
    AssetPurged,
    Cost,
    Encoder,
    Event,
    Preset,
    PresetSetActivated,
    PresetSetDefined,
    ProcessingFailed,
    ProcessingStarted,
    Source,
    SubjectKey,
    UploadCompleted,
    UploadRequested,
    Variant,
    VariantsReady,
)
from tests.golden.change_examples import CHANGE_EXAMPLES, RUN_EXAMPLES
from tests.golden.identity_examples import IDENTITY_EXAMPLES
from tests.golden.ids import ASSET_ID, AT, EVENT_ID, JOB_ID, KEY_ID, ORIGINAL, OWNER_ID, PRESET_SET, UPLOAD_ID

__all__ = [
    "ASSET_ID",
    "AT",
    "EVENT_ID",
    "EXAMPLES",
    "JOB_ID",
    "KEY_ID",
    "ORIGINAL",
    "OWNER_ID",
    "PRESET_SET",
    "UPLOAD_ID",
]

FOLDER: Final = f"assets/{ASSET_ID}/variants/Zm9vYmFy/9f56c7f2b7ac-0123abcd"


def _variant(name: str, width: int, height: int, size: int) -> Variant:
    key = f"{FOLDER}/{name}.jpg"
    return Variant(
        name=name, object_key=key, content_type="image/jpeg", width=width, height=height, size=size
    )


EXAMPLES: Final[tuple[Event, ...]] = (
    UploadRequested(
        event_id=EVENT_ID,
        occurred_at=AT,
        asset_id=ASSET_ID,
        owner_id=OWNER_ID,
        actor_id=OWNER_ID,
        request_hash=bytes(range(32)),
        upload_id=UPLOAD_ID,
        method="direct",
        object_key=f"incoming/{UPLOAD_ID}/Zm9vYmFy",
        content_type="image/jpeg",
        declared_size=3_456_789,
        sealed_words=b"\x01sealed words",
        expires_at=datetime(2026, 11, 21, 12, 49, 56, 789012, tzinfo=UTC),
    ),
    UploadCompleted(
        event_id=EVENT_ID,
        occurred_at=AT,
        asset_id=ASSET_ID,
        owner_id=OWNER_ID,
        actor_id=OWNER_ID,
        expected_version=1,
        upload_id=UPLOAD_ID,
        job_id=JOB_ID,
        object_key=ORIGINAL,
        size=3_456_789,
        content_type="image/jpeg",
        sealed_digests=b"\x01sealed digests",
        data_key_id=KEY_ID,
        preset_set=PRESET_SET,
        lane="live",
    ),
    ProcessingStarted(
        event_id=EVENT_ID,
        occurred_at=AT,
        asset_id=ASSET_ID,
        owner_id=OWNER_ID,
        job_id=JOB_ID,
        attempt=1,
        worker="worker-0",
        lane="live",
    ),
    VariantsReady(
        event_id=EVENT_ID,
        occurred_at=AT,
        asset_id=ASSET_ID,
        owner_id=OWNER_ID,
        job_id=JOB_ID,
        attempt=2,
        source=Source(
            object_key=ORIGINAL,
            size=3_456_789,
            format="jpeg",
            width=3024,
            height=4032,
            orientation=6,
            frames=1,
            animated=False,
            has_alpha=False,
            profile="Display P3",
        ),
        variants=(
            _variant("large", 1440, 1920, 412_345),
            _variant("medium", 768, 1024, 134_567),
            _variant("small", 360, 480, 34_567),
            _variant("thumbnail", 150, 150, 6_789),
        ),
        manifest_key=f"{FOLDER}/manifest.json",
        sealed_facts=b"\x01sealed facts",
        preset_set=PRESET_SET,
        encoder=Encoder(pillow="13.0.0", codecs="libjpeg-turbo 3.1.2", resizer="cykooz 4.0.0", simd="avx2"),
        cost=Cost(cpu_ms=79, wall_ms=104, peak_rss_kib=98_304, bytes_read=3_456_789, bytes_written=588_268),
    ),
    ProcessingFailed(
        event_id=EVENT_ID,
        occurred_at=AT,
        asset_id=ASSET_ID,
        owner_id=OWNER_ID,
        job_id=JOB_ID,
        attempt=1,
        kind="refused",
        code="truncated",
        retryable=False,
        will_retry=False,
    ),
    AssetPurged(
        event_id=EVENT_ID,
        occurred_at=AT,
        asset_id=ASSET_ID,
        owner_id=OWNER_ID,
        actor_id=OWNER_ID,
        code="erased",
        incoming_key=f"incoming/{UPLOAD_ID}/Zm9vYmFy",
    ),
    *CHANGE_EXAMPLES,
    *IDENTITY_EXAMPLES,
    PresetSetDefined(
        event_id=EVENT_ID,
        occurred_at=AT,
        preset_set=PRESET_SET,
        presets=(
            Preset(
                name="large", width=1920, height=1920, fit="contain", formats=("auto", "avif"), quality=80
            ),
            Preset(name="thumbnail", width=150, height=150, fit="cover", formats=("auto",), quality=75),
        ),
    ),
    PresetSetActivated(event_id=EVENT_ID, occurred_at=AT, preset_set=PRESET_SET),
    *RUN_EXAMPLES,
    SubjectKey(
        event_id=EVENT_ID,
        occurred_at=AT,
        user_id=OWNER_ID,
        key_id=KEY_ID,
        master_key_id="m1",
        wrapped=b"\x01wrapped key",
    ),
)

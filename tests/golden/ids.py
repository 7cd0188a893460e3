"""The fixed values that the examples share."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

EVENT_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000001")
ASSET_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000002")
OWNER_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000003")
UPLOAD_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000004")
JOB_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000005")
KEY_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000006")
AT: Final = datetime(2026, 11, 21, 12, 34, 56, 789012, tzinfo=UTC)
ORIGINAL: Final = f"assets/{ASSET_ID}/original/Zm9vYmFy"
PRESET_SET: Final = "9f56c7f2b7ac738ae3879c55b99ce0c65e66dfb90a25316c413f1797c7e6dabe"
RUN_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-00000000000b")
LINK_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-00000000000c")

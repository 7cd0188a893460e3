"""One event of each type of the identity log with fixed values: what the golden bytes say."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from schemas.events import (
    AccountRecordDiscarded,
    ApiKeyIssued,
    ApiKeyRevoked,
    ErasureCompleted,
    IdentityEvent,
    PasswordChanged,
    RoleChanged,
    SessionRefreshed,
    SessionRevoked,
    SessionStarted,
    SubjectErased,
    UserRegistered,
)
from schemas.identity import user_id_of

EVENT_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000001")
ADMIN_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000007")
SESSION_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000008")
KEY_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-000000000009")
PRESENTATION_ID: Final = UUID("852d8dc1-1d4e-8254-a7c0-b42fad77b779")
DATA_KEY_ID: Final = UUID("01938f6e-4c00-7aaa-8bbb-00000000000a")
USER_ID: Final = user_id_of(EVENT_ID)
ACCOUNT_KEY: Final = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
AT: Final = datetime(2026, 11, 21, 12, 34, 56, 789012, tzinfo=UTC)
LATER: Final = datetime(2026, 12, 21, 12, 34, 56, 789012, tzinfo=UTC)

_COMMON: Final[dict[str, Any]] = {
    "event_id": EVENT_ID,
    "occurred_at": AT,
    "account_key": ACCOUNT_KEY,
    "user_id": USER_ID,
    "actor_id": USER_ID,
}

IDENTITY_EXAMPLES: Final[tuple[IdentityEvent, ...]] = (
    UserRegistered(
        **_COMMON,
        request_hash=bytes(range(32)),
        role="user",
        sealed_address=b"\x01sealed address",
        sealed_password_hash=b"\x01sealed password hash",
        data_key_id=DATA_KEY_ID,
    ),
    SessionStarted(**_COMMON, session_id=SESSION_ID, expires_at=LATER, kind="login"),
    SessionRefreshed(
        **{**_COMMON, "event_id": PRESENTATION_ID}, session_id=SESSION_ID, presented_generation=7
    ),
    SessionRevoked(**_COMMON, session_id=SESSION_ID, code="logout"),
    PasswordChanged(
        **_COMMON,
        expected_version=1,
        sealed_password_hash=b"\x01sealed password hash",
        keep_session_id=SESSION_ID,
        code="changed",
    ),
    RoleChanged(**{**_COMMON, "actor_id": ADMIN_ID}, expected_version=2, role="admin"),
    ApiKeyIssued(
        **_COMMON,
        key_id=KEY_ID,
        prefix="k7Qm2xYz",
        hash=bytes(range(32)),
        scopes=("assets:read", "assets:write"),
        sealed_name=b"\x01sealed name",
        expires_at=LATER,
    ),
    ApiKeyRevoked(**_COMMON, key_id=KEY_ID),
    SubjectErased(**_COMMON, expected_version=3),
    ErasureCompleted(**_COMMON, erasure_id=EVENT_ID, receipt=b"\x01signed statement"),
    AccountRecordDiscarded(
        **{**_COMMON, "actor_id": ADMIN_ID},
        topic="darkroom.identity.v1",
        partition=3,
        offset=77,
        component="projector",
    ),
)

"""What people and operators do to an asset once it is there: events of darkroom.assets.v1."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadExpired:
    """The upload never came. `code` is expired (its time was over) or aborted (a person called it off).

    A completion beats an expiry in whatever order they stand, an abort only when it stands before it. Nobody
    causes an expiry, and it depends on no version.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID | None = None
    expected_version: int | None = None
    request_hash: bytes | None = None
    upload_id: UUID
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetUpdated:
    """Its words are others now: `sealed_words` holds all of them, `changed` names those that differ.

    `changed` is of title, description and tags. Counts on `expected_version` alone, never without one.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    sealed_words: bytes
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDeleted:
    """Into the trash; `code` is user or admin. Counts on `expected_version` alone, never without one.

    Of what lies in the trash already, code expired says that its time is over: it can't be restored, and its
    purge follows.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRestored:
    """Out of the trash; `code` is user or admin. Counts on `expected_version` alone, never without one."""

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPurged:
    """The asset is gone for good, and every object under its prefix goes too.

    `code` is erased, permanent or expired (schemas.codes). `incoming_key` is where its upload was awaited:
    what stands there goes as well. It depends on no version: objects are removed by those who fold nothing.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    request_hash: bytes | None = None
    code: str
    incoming_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkIssued:
    """Whoever has the link may look, at `variant` or (none) at all of them, until `expires_at`, if ever."""

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    link_id: UUID
    variant: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRevoked:
    """The link opens nothing any more."""

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID
    actor_id: UUID
    expected_version: int | None = None
    request_hash: bytes | None = None
    link_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDiscarded:
    """An operator gave up a record of this asset: readers pass over it, now and in every replay.

    The record is named by where it stands, `component` is who could not read it. Whose asset it was may be
    unknown, when that is what could not be read.
    """

    event_id: UUID
    occurred_at: datetime
    asset_id: UUID
    owner_id: UUID | None = None
    actor_id: UUID | None = None
    topic: str
    partition: int
    offset: int
    component: str

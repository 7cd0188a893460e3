"""The data keys of people: the records of darkroom.subject-keys.v1, a compacted topic."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKey:
    """One data key of a person, wrapped by a master key, or the marker of its erasure.

    `wrapped` is null in a marker (`erased` true), which nothing ever replaces. The record's key is
    `user_id/key_id`.
    """

    event_id: UUID
    occurred_at: datetime
    user_id: UUID
    key_id: UUID
    erased: bool = False
    master_key_id: str | None = None
    wrapped: bytes | None = None

"""What completing an upload gives, however often it is asked for."""

from dataclasses import dataclass
from uuid import UUID

from schemas.positions import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A completion that is in the log."""

    asset_id: UUID
    job_id: UUID
    position: Position

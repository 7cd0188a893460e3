"""What completing an upload gives, however often it is asked for."""

from dataclasses import dataclass
from uuid import UUID

from schemas.positions import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A completion that is in the log.

    `duplicate`: the bytes were there already, in this asset, which has come to `status`.
    """

    asset_id: UUID
    job_id: UUID
    position: Position
    status: str = "uploaded"
    duplicate: bool = False

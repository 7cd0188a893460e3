"""Which lane an upload takes: whoever floods us waits for himself, and nobody else does."""

from typing import Final
from uuid import UUID

import psycopg

from api.parts import Parts
from schemas.codes import Lane

LIVE: Final[Lane] = "live"
BULK: Final[Lane] = "bulk"


async def lane_of_upload(parts: Parts, owner_id: UUID) -> Lane:
    """Bulk where more than BULK_ABOVE uploads of this person are under way, else live.

    Live as well where nobody can say: a lane is fairness between people, and no reason to turn one away.
    """
    allowed = parts.settings.runs.bulk_above
    try:
        waiting = await parts.reads.uploads_under_way(owner_id, most=allowed + 1)
    except (psycopg.OperationalError, TimeoutError):
        return LIVE
    return BULK if waiting > allowed else LIVE

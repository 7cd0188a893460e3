"""Keeps the state of each asset, so that the next batch can go on from it."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import Connection, sql

from projections.folding import Folded
from projections.read_models import LIFECYCLE
from projections.tables import Table
from schemas.asset_state import AssetState
from schemas.state_codec import decode_state, encode_state

TABLE: Final = Table(model=LIFECYCLE, name="states", columns={"asset_id": "uuid", "state": "bytea"})

_LOAD: Final = sql.SQL("select asset_id, state from {} where asset_id = any(%b)").format(TABLE.identifier)


def load(conn: Connection[Any], asset_ids: Sequence[UUID]) -> dict[UUID, AssetState]:
    """The states of those assets that have one."""
    with conn.cursor(binary=True) as cursor:
        cursor.execute(_LOAD, (list(asset_ids),))
        return {asset_id: decode_state(state) for asset_id, state in cursor}


def write(conn: Connection[Any], folded: Folded) -> None:
    """Replaces the states of the assets that the batch changed."""
    rows = ((asset_id, encode_state(changed.state)) for asset_id, changed in folded.changed.items())
    TABLE.replace(conn, folded.replaced(), rows)

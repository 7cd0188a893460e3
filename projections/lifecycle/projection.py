"""Keeps the state of each asset, so that the next batch can go on from it."""

from typing import Final
from uuid import UUID

from projections.forms import LIFECYCLE
from projections.states import States
from projections.tables import Table
from schemas.asset_state import AssetState

TABLE: Final = Table(
    model=LIFECYCLE, name="states", key="asset_id", columns={"asset_id": "uuid", "state": "bytea"}
)
STATES: Final[States[UUID, AssetState]] = States(table=TABLE, cls=AssetState)

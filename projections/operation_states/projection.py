"""Keeps the state of each preset set and run, so that the next batch can go on from it."""

from typing import Final

from projections.forms import OPERATION_STATES
from projections.states import States
from projections.tables import Table
from schemas.operation import OperationState

TABLE: Final = Table(
    model=OPERATION_STATES,
    name="operation_states",
    key="stream",
    columns={"stream": "text", "state": "bytea"},
)
STATES: Final[States[str, OperationState]] = States(table=TABLE, cls=OperationState)

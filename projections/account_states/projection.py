"""Keeps the state of each account, so that the next batch can go on from it."""

from typing import Final

from projections.forms import ACCOUNT_STATES
from projections.states import States
from projections.tables import Table
from schemas.account_state import AccountState

TABLE: Final = Table(
    model=ACCOUNT_STATES,
    name="account_states",
    key="account_key",
    columns={"account_key": "text", "state": "bytea"},
)
STATES: Final[States[str, AccountState]] = States(table=TABLE, cls=AccountState)

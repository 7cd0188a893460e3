"""The plan of each loop."""

from functools import partial
from typing import Any
from uuid import UUID

from psycopg import Connection

from adapters.sealing import Seals
from projections import of_assets, of_identity
from projections.account_activity import projection as account_activity
from projections.account_states.projection import STATES as ACCOUNT_STATES
from projections.accounts import projection as accounts
from projections.accounts.clear import ClearAccounts
from projections.activity import projection as activity
from projections.api_keys import projection as api_keys
from projections.assets import projection as assets
from projections.assets.clear import ClearText
from projections.checkpoints import LoopName
from projections.erasures import projection as erasures
from projections.jobs import projection as jobs
from projections.lifecycle.projection import STATES as ASSET_STATES
from projections.plan import Plan
from projections.sessions import projection as sessions
from schemas.account_state import AccountState
from schemas.asset_state import AssetState
from schemas.events import AssetEvent, IdentityEvent


def plan_of(loop: LoopName, keys: Seals) -> Plan[Any, Any, Any]:
    """The plan of this loop; what is sealed is opened with `keys`."""
    match loop:
        case "assets":
            return asset_plan(keys)
        case "identity":
            return identity_plan(keys)


def asset_plan(keys: Seals) -> Plan[UUID, AssetState, AssetEvent]:
    """How the asset log is folded."""
    clear = ClearText(keys)
    write = partial(_write_assets, clear)
    return Plan(streams=of_assets.STREAMS, states=ASSET_STATES, clear=clear, write=write)


def identity_plan(keys: Seals) -> Plan[str, AccountState, IdentityEvent]:
    """How the identity log is folded."""
    clear = ClearAccounts(keys)
    write = partial(_write_identity, clear)
    return Plan(streams=of_identity.STREAMS, states=ACCOUNT_STATES, clear=clear, write=write)


def _write_assets(clear: ClearText, conn: Connection[Any], topic: str, folded: of_assets.Folded) -> None:
    activity.write(conn, topic, folded)
    if folded.changed:
        assets.write(conn, folded, clear)
        jobs.write(conn, folded)
        ASSET_STATES.write(conn, folded)


def _write_identity(
    clear: ClearAccounts, conn: Connection[Any], topic: str, folded: of_identity.Folded
) -> None:
    account_activity.write(conn, topic, folded)
    if folded.changed:
        accounts.write(conn, folded, clear)
        sessions.write(conn, folded)
        api_keys.write(conn, folded, clear)
        erasures.write(conn, folded)
        ACCOUNT_STATES.write(conn, folded)

"""The plan of each loop."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection

from adapters.sealing import Seals
from projections import of_assets, of_identity, of_operations
from projections.account_activity import projection as account_activity
from projections.account_states.projection import STATES as ACCOUNT_STATES_OF
from projections.accounts import projection as accounts
from projections.accounts.clear import ClearAccounts
from projections.activity import projection as activity
from projections.api_keys import projection as api_keys
from projections.assets import projection as assets
from projections.assets.clear import ClearText
from projections.checkpoints import LoopName
from projections.erasures import projection as erasures
from projections.folding import Folded
from projections.forms import (
    ACCOUNT_ACTIVITY,
    ACCOUNT_STATES,
    ACCOUNTS,
    ACTIVITY,
    API_KEYS,
    ASSETS,
    ERASURES,
    JOBS,
    LIFECYCLE,
    LINKS,
    OPERATION_STATES,
    PRESET_SETS,
    RUNS,
    SESSIONS,
    STORAGE,
    USAGE,
    ReadModel,
)
from projections.jobs import projection as jobs
from projections.lifecycle.projection import STATES as ASSET_STATES
from projections.links import projection as links
from projections.operation_states.projection import STATES as OPERATION_STATES_OF
from projections.plan import Plan, Writer
from projections.preset_sets import projection as preset_sets
from projections.runs import projection as runs
from projections.sessions import projection as sessions
from projections.storage import projection as storage
from projections.usage import projection as usage
from schemas.account_state import AccountState
from schemas.asset_state import AssetState
from schemas.events import AssetEvent, IdentityEvent
from schemas.operation import OperationState, StreamEvent

_Id = TypeVar("_Id", bound=Hashable)
_State = TypeVar("_State")
_Event = TypeVar("_Event")


def plan_of(loop: LoopName, keys: Seals) -> Plan[Any, Any, Any]:
    """The plan of this loop; what is sealed is opened with `keys`."""
    match loop:
        case "assets":
            return asset_plan(keys)
        case "identity":
            return identity_plan(keys)
        case "operations":
            return operations_plan()


def asset_plan(keys: Seals) -> Plan[UUID, AssetState, AssetEvent]:
    """How the asset log is folded."""
    clear = ClearText(keys)
    writers: dict[ReadModel, Writer[UUID, AssetState, AssetEvent]] = {
        ACTIVITY: activity.write,
        ASSETS: _of_changes(lambda conn, folded: assets.write(conn, folded, clear)),
        JOBS: _of_changes(jobs.write),
        LIFECYCLE: _of_changes(ASSET_STATES.write),
        LINKS: _of_changes(links.write),
        STORAGE: _of_changes(storage.write),
        USAGE: _of_changes(usage.write),
    }
    return Plan(
        streams=of_assets.STREAMS,
        states=ASSET_STATES,
        clear=clear,
        writers=_by_name(writers),
        told=of_assets.changes_in,
        shortcut=of_assets.WHOLE_LIVES,
        stepwise=frozenset({ACTIVITY.name}),
    )


def identity_plan(keys: Seals) -> Plan[str, AccountState, IdentityEvent]:
    """How the identity log is folded."""
    clear = ClearAccounts(keys)
    writers: dict[ReadModel, Writer[str, AccountState, IdentityEvent]] = {
        ACCOUNT_ACTIVITY: account_activity.write,
        ACCOUNTS: _of_changes(lambda conn, folded: accounts.write(conn, folded, clear)),
        SESSIONS: _of_changes(sessions.write),
        API_KEYS: _of_changes(lambda conn, folded: api_keys.write(conn, folded, clear)),
        ERASURES: _of_changes(erasures.write),
        ACCOUNT_STATES: _of_changes(ACCOUNT_STATES_OF.write),
    }
    return Plan(streams=of_identity.STREAMS, states=ACCOUNT_STATES_OF, clear=clear, writers=_by_name(writers))


def operations_plan() -> Plan[str, OperationState, StreamEvent]:
    """How the operations log is folded."""
    writers: dict[ReadModel, Writer[str, OperationState, StreamEvent]] = {
        OPERATION_STATES: _of_changes(OPERATION_STATES_OF.write),
        PRESET_SETS: _of_changes(preset_sets.write),
        RUNS: _of_changes(runs.write),
    }
    return Plan(
        streams=of_operations.STREAMS,
        states=OPERATION_STATES_OF,
        clear=of_operations.NothingSealed(),
        writers=_by_name(writers),
    )


def _of_changes(
    write: Callable[[Connection[Any], Folded[_Id, _State, _Event]], None],
) -> Writer[_Id, _State, _Event]:
    """A writer of rows that only a changed state changes."""

    def written(conn: Connection[Any], _topic: str, folded: Folded[_Id, _State, _Event]) -> None:
        if folded.changed:
            write(conn, folded)

    return written


def _by_name(
    writers: Mapping[ReadModel, Writer[_Id, _State, _Event]],
) -> dict[str, Writer[_Id, _State, _Event]]:
    return {model.name: writer for model, writer in writers.items()}

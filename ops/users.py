"""`python -m ops users …`: who has an account, and who may do everything."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import psycopg
import typer
from psycopg import AsyncConnection
from rich.console import Console
from rich.table import Table

from adapters.account_keys import InvalidAddress, account_key, read_address
from adapters.clock import SystemClock, new_id
from adapters.event_log import AppendFailed, KafkaEventLog
from adapters.owners import deterministic_id
from adapters.read_store import conninfo
from adapters.schema_registry import ContractMismatch, RegistryUnavailable, load_codec
from adapters.settings import Settings, settings_or_exit
from adapters.telemetry.metrics import Metrics
from ops.waiting import UNREACHABLE, WRONG, Json, Wait, leave, quiet_logs, stop_after
from projections.account_activity.queries import by_event_id
from projections.accounts.queries import AccountRow, account_by_key, accounts_page
from schemas.codec import Codec
from schemas.envelope import Metadata
from schemas.events import RoleChanged
from schemas.identity import Role

app = typer.Typer(no_args_is_help=True, help="Accounts: who has one, and what they may do.")

T = TypeVar("T")
Connection = AsyncConnection[tuple[Any, ...]]
Address = Annotated[str, typer.Argument(help="The address of somebody who has registered.")]

_SOURCE: Final = "/ops/users"
_COMPONENT: Final = "ops users"
_PAGE: Final = 200
# An id, the longest address, a role and a time.
_LINE: Final = 36 + 254 + 40
_ATTEMPTS: Final = 3
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a change of role."""

    account: AccountRow
    role: Role
    changed: bool


@app.command()
def promote(address: Address, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Make somebody an administrator: the first one, or another. It is an event like any.

    Exit code: 0, or 3 where nobody has registered with the address.
    """
    _change(address, "admin", wait, as_data=as_data)


@app.command()
def demote(address: Address, wait: Wait = 30.0, as_data: Json = False) -> None:
    """Make an administrator a user again. Exit code: 0, or 3 where nobody has registered with the address."""
    _change(address, "user", wait, as_data=as_data)


@app.command("list")
def list_command(as_data: Json = False) -> None:
    """List everybody with an account, newest first."""
    rows = _run(_all(settings_or_exit()))
    if as_data:
        typer.echo(json.dumps([_shown(row) for row in rows]))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("user", "address", "role", "registered"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(
            str(row.user_id), row.address or "", row.role, row.registered_at.isoformat(" ", "seconds")
        )
    # An id that is cut short is of no use; a line that is too long for the terminal is.
    Console(width=max(Console().width, _LINE)).print(table)


def _change(address: str, role: Role, wait: float, *, as_data: bool) -> None:
    quiet_logs()
    settings = settings_or_exit()
    try:
        secret = settings.secrets.account_key_secret.get_secret_value().encode()
        key = account_key(read_address(address), secret)
    except InvalidAddress as error:
        leave(f"What was given as the address {error}.", code=WRONG)
    try:
        with stop_after(wait) as stop:
            codec = load_codec(settings, stop=stop)
        done = _run(_changed(settings, codec, key, role, wait))
    except (RegistryUnavailable, AppendFailed) as error:
        leave(f"A server can't be reached: {error}.", code=UNREACHABLE)
    except ContractMismatch as error:
        leave(*error.sentences, code=WRONG)
    if as_data:
        typer.echo(json.dumps({"user_id": str(done.account.user_id), "role": role, "changed": done.changed}))
    else:
        typer.echo(f"{done.account.user_id} is {'now' if done.changed else 'already'} {role}.")


async def _changed(settings: Settings, codec: Codec, key: str, role: Role, wait: float) -> Outcome:
    """Appends the change and waits for the log's word; decides again where another change came first."""
    log = KafkaEventLog(settings.kafka, codec, metrics=Metrics().log)
    try:
        async with _connected(settings) as conn:
            for _ in range(_ATTEMPTS):
                account = await account_by_key(conn, key)
                if account is None:
                    leave("Nobody has registered with this address.", code=WRONG)
                if account.role == role:
                    return Outcome(account=account, role=role, changed=False)
                event = _event(settings, account, role)
                await log.append(event, Metadata(correlation_id=new_id(), source=_SOURCE))
                if await _accepted(conn, event.event_id, wait):
                    return Outcome(account=account, role=role, changed=True)
    finally:
        await log.close()
    return leave("The account kept changing meanwhile; try again.", code=WRONG)


def _event(settings: Settings, account: AccountRow, role: Role) -> RoleChanged:
    secret = settings.secrets.id_key
    return RoleChanged(
        event_id=new_id(),
        occurred_at=SystemClock().now(),
        account_key=account.account_key,
        user_id=account.user_id,
        actor_id=deterministic_id(secret, "operator"),
        expected_version=account.version,
        role=role,
    )


async def _accepted(conn: Connection, event_id: UUID, wait: float) -> bool:
    """What the log decided, as the read models say; leaves where they don't say it in time."""
    try:
        async with asyncio.timeout(wait):
            while (row := await by_event_id(conn, event_id)) is None:  # noqa: ASYNC110 - another writes it
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        leave("It is in the log; whether it counts, the read models have not said yet.", code=UNREACHABLE)
    return row.accepted


async def _all(settings: Settings) -> list[AccountRow]:
    found: list[AccountRow] = []
    before: tuple[datetime, UUID] | None = None
    async with _connected(settings) as conn:
        while page := await accounts_page(conn, limit=_PAGE, before=before):
            found += page
            before = (page[-1].registered_at, page[-1].user_id)
    return found


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Connection]:
    async with await AsyncConnection.connect(conninfo(settings, _COMPONENT), autocommit=True) as conn:
        yield conn


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except psycopg.errors.UndefinedTable:
        leave("The read models are not installed; run `python -m ops read-models install`.", code=WRONG)
    except psycopg.OperationalError as error:
        leave(f"Postgres can't be reached: {error}. Check DATABASE_URL.", code=UNREACHABLE)


def _shown(row: AccountRow) -> dict[str, object]:
    return {
        "user_id": str(row.user_id),
        "address": row.address,
        "role": row.role,
        "registered_at": row.registered_at.isoformat(),
    }

"""`python -m ops users …`: who has an account, and who may do everything."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import typer
from psycopg import AsyncConnection

from adapters.account_keys import InvalidAddress, account_key, read_address
from adapters.clock import new_id
from adapters.read_store import conninfo
from adapters.settings import Settings, settings_or_exit
from ops.desk import Desk, at_desk
from ops.listing import show_table
from ops.sentences import in_sentences
from ops.waiting import UNREACHABLE, WRONG, Json, Wait, leave
from projections.accounts.queries import AccountRow, account_by_key, accounts_page
from schemas.events import RoleChanged
from schemas.identity import Role

app = typer.Typer(no_args_is_help=True, help="Accounts: who has one, and what they may do.")

Address = Annotated[str, typer.Argument(help="The address of somebody who has registered.")]

_SOURCE: Final = "/ops/users"
_COMPONENT: Final = "ops users"
_PAGE: Final = 200
_ATTEMPTS: Final = 3


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
    with in_sentences():
        rows = asyncio.run(_all(settings_or_exit()))
    if as_data:
        typer.echo(json.dumps([_shown(row) for row in rows]))
        return
    if not rows:
        typer.echo("Nobody has an account.")
        return
    names = ("user", "role", "registered", "address")
    show_table(
        names, [(str(row.user_id), row.role, f"{row.registered_at:%F}", row.address or "") for row in rows]
    )


def _change(address: str, role: Role, wait: float, *, as_data: bool) -> None:
    settings = settings_or_exit()
    try:
        secret = settings.secrets.account_key_secret.get_secret_value().encode()
        key = account_key(read_address(address), secret)
    except InvalidAddress as error:
        raise typer.BadParameter(f"what was given as the address {error}") from None
    done = at_desk(lambda desk: _changed(desk, key, role), wait=wait)
    if as_data:
        typer.echo(json.dumps({"user_id": str(done.account.user_id), "role": role, "changed": done.changed}))
    else:
        typer.echo(f"{done.account.user_id} is {'now' if done.changed else 'already'} {role}.")


async def _changed(desk: Desk, key: str, role: Role) -> Outcome:
    """Appends the change and waits for the log's word; decides again where another change came first."""
    for _ in range(_ATTEMPTS):
        async with desk.pool.connection() as conn:
            account = await account_by_key(conn, key)
        if account is None:
            leave("Nobody has registered with this address.", code=WRONG)
        if account.role == role:
            return Outcome(account=account, role=role, changed=False)
        event = _event(desk, account, role)
        await desk.append(event, source=_SOURCE)
        accepted = await desk.accepted(event.event_id)
        if accepted is None:
            leave("It is in the log; whether it counts, the read models have not said yet.", code=UNREACHABLE)
        if accepted:
            return Outcome(account=account, role=role, changed=True)
    return leave("The account kept changing meanwhile; try again.", code=WRONG)


def _event(desk: Desk, account: AccountRow, role: Role) -> RoleChanged:
    return RoleChanged(
        event_id=new_id(),
        occurred_at=desk.clock.now(),
        account_key=account.account_key,
        user_id=account.user_id,
        actor_id=desk.operator,
        expected_version=account.version,
        role=role,
    )


async def _all(settings: Settings) -> list[AccountRow]:
    found: list[AccountRow] = []
    before: tuple[datetime, UUID] | None = None
    async with await AsyncConnection.connect(conninfo(settings, _COMPONENT), autocommit=True) as conn:
        while page := await accounts_page(conn, limit=_PAGE, before=before):
            found += page
            before = (page[-1].registered_at, page[-1].user_id)
    return found


def _shown(row: AccountRow) -> dict[str, object]:
    return {
        "user_id": str(row.user_id),
        "address": row.address,
        "role": row.role,
        "registered_at": row.registered_at.isoformat(),
    }

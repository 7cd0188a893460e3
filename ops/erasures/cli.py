"""`python -m ops erasures …`: run the process that erases, and look at what it has done."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any, Final
from uuid import UUID

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from adapters import read_store
from adapters.schema_registry import ContractMismatch, RegistryUnavailable
from adapters.settings import Settings, SettingsError, settings_or_exit
from adapters.telemetry import configure_logs
from adapters.topics import BrokerUnreachable, TopicDrift
from ops.erasures import receipt, rows
from ops.erasures.rows import Conn, Erasure
from ops.erasures.runner import COMPONENT, Runner
from ops.signed import public_pem
from ops.stopping import stop_on_signals
from ops.waiting import UNREACHABLE, WRONG, Json, leave, quiet_logs

app = typer.Typer(no_args_is_help=True, help="Erasures: people who asked to be forgotten.")

_NOT_DONE: Final = 4
# Two ids and two times.
_LINE: Final = 120
UntilDone = Annotated[bool, typer.Option("--until-done", help="End once no erasure is under way.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="So many at most.")]


@app.command()
def run(until_done: UntilDone = False) -> None:
    """Take every erasure to its end, for ever; killed at any moment, the next goes on. Exit code: 0 or 1."""
    settings = settings_or_exit()
    configure_logs(COMPONENT, settings)
    stop = stop_on_signals()
    try:
        asyncio.run(Runner(settings, stop).run(until_done=until_done))
    except (BrokerUnreachable, RegistryUnavailable) as error:
        if not stop.is_set():
            leave(f"{error}", code=UNREACHABLE)
    except (TopicDrift, ContractMismatch) as error:
        leave(*error.sentences, code=UNREACHABLE)
    except SettingsError as error:
        leave(str(error), code=UNREACHABLE)


@app.command("list")
def list_command(limit: Limit = 50, as_data: Json = False) -> None:
    """Show the newest erasures."""
    with _connected(settings_or_exit()) as conn:
        found = rows.every(conn, limit)
    if as_data:
        typer.echo(json.dumps([_plain(erasure) for erasure in found], indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("erasure", "user", "requested", "completed"):
        table.add_column(name, no_wrap=True)
    for erasure in found:
        completed = "under way" if erasure.completed_at is None else f"{erasure.completed_at:%F %T}"
        requested = f"{erasure.requested_at:%F %T}"
        table.add_row(str(erasure.erasure_id), str(erasure.user_id), requested, completed)
    # An id that is cut short is of no use; a line that is too long for the terminal is.
    Console(width=max(Console().width, _LINE)).print(table)


@app.command()
def status(erasure_id: UUID, as_data: Json = False) -> None:
    """Show one erasure, its receipt checked. Exit code: 0 completed, 4 under way, 3 unknown or not ours."""
    settings = settings_or_exit()
    with _connected(settings) as conn:
        erasure = rows.one(conn, erasure_id)
    if erasure is None:
        leave(f"There is no erasure {erasure_id}.", code=WRONG)
    said = _plain(erasure)
    if erasure.receipt is not None:
        said["statement"] = _statement(settings, erasure.receipt)
    if as_data:
        typer.echo(json.dumps(said, indent=1))
    else:
        _show(said)
    if erasure.completed_at is None:
        raise typer.Exit(_NOT_DONE)


@app.command("public-key")
def public_key() -> None:
    """Print the public key, in PEM, by which anybody can check this installation's receipts."""
    typer.echo(public_pem(receipt.receipt_key(settings_or_exit().secrets.id_key)), nl=False)


def _statement(settings: Settings, signed: bytes) -> dict[str, Any]:
    key = receipt.receipt_key(settings.secrets.id_key).public_key()
    try:
        said = receipt.read(key, signed)
    except receipt.NoReceipt as error:
        leave(f"The receipt is not one of ours: {error}.", code=WRONG)
    return {"data_keys_erased": said.keys, "assets_purged": said.assets, "signature": "valid"}


def _plain(erasure: Erasure) -> dict[str, Any]:
    completed, signed = erasure.completed_at, erasure.receipt
    return {
        "erasure_id": str(erasure.erasure_id),
        "user_id": str(erasure.user_id),
        "requested_at": erasure.requested_at.isoformat(),
        "completed_at": None if completed is None else completed.isoformat(),
        "receipt": None if signed is None else signed.decode("ascii", "replace"),
    }


def _show(said: dict[str, Any]) -> None:
    """As a table; the receipt, which is long and to be kept whole, on a line of its own."""
    table = Table(box=None, pad_edge=False, show_header=False)
    lines = {**said, **said.get("statement", {})}
    for name, value in lines.items():
        if name not in {"statement", "receipt"}:
            table.add_row(name.replace("_", " "), "under way" if value is None else str(value))
    Console(width=max(Console().width, _LINE)).print(table)
    if said["receipt"] is not None:
        typer.echo(said["receipt"])


@contextmanager
def _connected(settings: Settings) -> Iterator[Conn]:
    quiet_logs()
    try:
        with closing(read_store.connect(settings, COMPONENT)) as conn:
            conn.autocommit = True
            yield conn
    except psycopg.errors.UndefinedTable:
        leave("The read models are not installed; run `python -m ops read-models install`.", code=WRONG)
    except psycopg.OperationalError as error:
        leave(f"Postgres can't be reached: {error}.", code=UNREACHABLE)

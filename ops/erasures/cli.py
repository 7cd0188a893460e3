"""`python -m ops erasures …`: run the process that erases, and look at what it has done."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from adapters import read_store
from adapters.settings import Settings, settings_or_exit
from adapters.telemetry import configure_logs
from ops.erasures import receipt, rows
from ops.erasures.rows import Conn
from ops.erasures.runner import COMPONENT, Runner
from ops.listing import show_table
from ops.sentences import in_sentences, until_stopped
from ops.signed import public_pem
from ops.stopping import stop_on_signals
from ops.waiting import WRONG, Json, leave, quiet_logs
from projections.erasures.queries import ErasureRow

app = typer.Typer(no_args_is_help=True, help="Erasures: people who asked to be forgotten.")

_NOT_DONE: Final = 4
UntilDone = Annotated[bool, typer.Option("--until-done", help="End once no erasure is under way.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="So many at most.")]


@app.command()
def run(until_done: UntilDone = False) -> None:
    """Take every erasure to its end, for ever; killed at any moment, the next goes on. Exit code: 0 or 1."""
    settings = settings_or_exit()
    configure_logs(COMPONENT, settings)
    stop = stop_on_signals()
    with until_stopped(stop):
        asyncio.run(Runner(settings, stop).run(until_done=until_done))


@app.command("list")
def list_command(limit: Limit = 50, as_data: Json = False) -> None:
    """Show the newest erasures."""
    with _connected(settings_or_exit()) as conn:
        found = rows.every(conn, limit)
    if as_data:
        typer.echo(json.dumps([_plain(erasure) for erasure in found], indent=1))
        return
    if not found:
        typer.echo("Nobody has asked to be forgotten.")
        return
    show_table(("erasure", "requested", "completed"), [_line(erasure) for erasure in found])


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


def _line(erasure: ErasureRow) -> tuple[str, str, str]:
    completed = "under way" if erasure.completed_at is None else f"{erasure.completed_at:%F %T}"
    return str(erasure.erasure_id), f"{erasure.requested_at:%F %T}", completed


def _plain(erasure: ErasureRow) -> dict[str, Any]:
    completed, signed = erasure.completed_at, erasure.receipt
    return {
        "erasure_id": str(erasure.erasure_id),
        "user_id": str(erasure.user_id),
        "requested_at": erasure.requested_at.isoformat(),
        "completed_at": None if completed is None else completed.isoformat(),
        "receipt": None if signed is None else signed.decode("ascii", "replace"),
    }


def _show(said: dict[str, Any]) -> None:
    """A line each; the receipt, which is long and to be kept whole, on a line of its own."""
    for name, value in {**said, **said.get("statement", {})}.items():
        if name not in {"statement", "receipt"}:
            typer.echo(f"{name.replace('_', ' '):<18}{'under way' if value is None else value}")
    if said["receipt"] is not None:
        typer.echo(said["receipt"])


@contextmanager
def _connected(settings: Settings) -> Iterator[Conn]:
    quiet_logs()
    with in_sentences(), closing(read_store.connect(settings, COMPONENT)) as conn:
        conn.autocommit = True
        yield conn

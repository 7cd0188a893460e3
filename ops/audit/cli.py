"""`python -m ops audit …`: export the logs as signed hash chains, and check such an export."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from adapters.settings import Settings, settings_or_exit
from ops.audit.export import export as exported
from ops.audit.live import verify_live
from ops.audit.manifest import audit_key
from ops.audit.verifying import verify as verified
from ops.sentences import in_sentences
from ops.signed import public_pem
from ops.waiting import MISTAKEN, WRONG, Json, leave

app = typer.Typer(no_args_is_help=True, help="The log as signed hash chains.")

Key = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Check with this public key (PEM) instead of our own."),
]


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="New or empty.")], as_json: Json = False) -> None:
    """Write every record of the logs that are kept for ever, chained, and a signed manifest of the heads."""
    settings = settings_or_exit()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        leave(f"{folder} is not empty.", code=MISTAKEN)
    key = audit_key(settings.secrets.id_key)
    with in_sentences(), _counted("chained", quiet=as_json) as told:
        made = exported(settings.kafka, folder, key, datetime.now(UTC), told)
    records = sum(head.records for chains in made.topics.values() for head in chains.heads.values())
    said = {"folder": str(folder), "records": records, "topics": sorted(made.topics)}
    typer.echo(json.dumps(said) if as_json else f"{records:,} records of {len(made.topics)} logs.")


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    live: Annotated[bool, typer.Option("--live", help="Read the live logs too, up to the heads.")] = False,
    public_key: Key = None,
    as_json: Json = False,
) -> None:
    """Check an export; exit 3 and say what is wrong unless every chain leads to its signed head."""
    settings = settings_or_exit() if live or public_key is None else None
    key = _ours(settings) if public_key is None else _public(public_key)
    with _counted("checked", quiet=as_json) as told:
        manifest, verdict = verified(folder, key, told)
        wrong = list(verdict.wrong)
        if live and manifest is not None and settings is not None:
            with in_sentences():
                wrong += verify_live(settings.kafka, folder, manifest, verdict, told)
    if as_json:
        typer.echo(json.dumps({"records": verdict.records, "live": live, "wrong": wrong}))
    else:
        typer.echo("\n".join(wrong) or f"{verdict.records:,} records, every chain as it was signed.")
    if wrong:
        raise typer.Exit(WRONG)


@app.command("public-key")
def public_key() -> None:
    """Print the public key that manifests are checked with."""
    typer.echo(public_pem(audit_key(settings_or_exit().secrets.id_key)), nl=False)


def _ours(settings: Settings | None) -> Ed25519PublicKey:
    known = settings or settings_or_exit()
    return audit_key(known.secrets.id_key).public_key()


def _public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None  # said below
    if not isinstance(key, Ed25519PublicKey):
        leave(f"{path} holds no Ed25519 public key.", code=MISTAKEN)
    return key


@contextmanager
def _counted(what: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn(f"records {what}"), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda count: progress.advance(task, count)

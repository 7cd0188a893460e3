"""`python -m ops migrate`: the infrastructure tables in Postgres, brought up to date."""

import json

import psycopg
import typer

from adapters.read_store import migrate as apply_migrations
from adapters.settings import settings_or_exit
from ops.waiting import Json, Wait, patiently


def migrate(wait: Wait = 60.0, as_data: Json = False) -> None:
    """Bring the infrastructure tables up to date; safe to repeat. Exit code: 0, or 1 Postgres not reached."""
    settings = settings_or_exit()
    applied = patiently(
        lambda: apply_migrations(settings), psycopg.OperationalError, what="Postgres", seconds=wait
    )
    if as_data:
        typer.echo(json.dumps({"applied": applied}))
    else:
        typer.echo(f"Applied: {', '.join(applied) or 'nothing, all was up to date'}.")

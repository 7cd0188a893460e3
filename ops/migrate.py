"""`python -m ops migrate`: the infrastructure tables in Postgres, brought up to date."""

import json

import psycopg
import typer

from adapters import migrating
from adapters.settings import Settings, settings_or_exit
from ops.waiting import Json, Wait, patiently


def migrate(settings: Settings, wait: float = 60.0) -> tuple[str, ...]:
    """Brings the tables up to date and returns the migrations applied.

    Raises typer.Exit 1, with a sentence said, where Postgres does not answer for `wait` seconds.
    """
    return patiently(
        lambda: migrating.migrate(settings), psycopg.OperationalError, what="Postgres", seconds=wait
    )


def command(wait: Wait = 60.0, as_data: Json = False) -> None:
    """Bring the infrastructure tables up to date; safe to repeat. Exit code: 0, or 1 Postgres not reached."""
    applied = migrate(settings_or_exit(), wait)
    if as_data:
        typer.echo(json.dumps({"applied": applied}))
    else:
        typer.echo(f"Applied: {', '.join(applied) or 'nothing, all was up to date'}.")

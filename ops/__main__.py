"""`python -m ops …`: every command that runs and looks after Darkroom."""

import importlib
import importlib.util

import psycopg
import typer

from adapters.read_store import migrate as migrate_store
from adapters.settings import settings_or_exit

app = typer.Typer(no_args_is_help=True, help="Running Darkroom.", pretty_exceptions_enable=False)

GROUPS = {
    "stack": "ops.stack.cli",
    "topics": "ops.topics",
    "schemas": "ops.schemas",
    "presets": "ops.presets",
    "read-models": "ops.read_models",
    "docs": "ops.docs",
}


@app.command()
def migrate() -> None:
    """Bring the infrastructure tables in Postgres up to date; safe to repeat."""
    try:
        applied = migrate_store(settings_or_exit())
    except psycopg.OperationalError as error:
        typer.echo(f"Postgres can't be reached: {error}. Check DATABASE_URL.", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"Applied: {', '.join(applied) or 'nothing, all was up to date'}.")


for name, module in GROUPS.items():
    if importlib.util.find_spec(module) is not None:
        app.add_typer(importlib.import_module(module).app, name=name)

if __name__ == "__main__":
    app()

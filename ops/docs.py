"""`python -m ops docs …`: the documents that are made from the code, written or checked."""

import typer

from ops.docs_events import events
from ops.docs_metrics import metrics
from ops.docs_openapi import openapi
from ops.docs_settings import settings

app = typer.Typer(no_args_is_help=True, help="Documents made from the code: write them, or check them.")
app.command()(events)
app.command()(metrics)
app.command()(openapi)
app.command()(settings)

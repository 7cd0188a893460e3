"""`python -m ops …`: every command that runs and looks after Darkroom."""

import importlib
import importlib.util

import typer

app = typer.Typer(no_args_is_help=True, help="Running Darkroom.", pretty_exceptions_enable=False)

COMMANDS = {
    "stack": "ops.stack.cli",
    "topics": "ops.topics",
    "schemas": "ops.schemas",
    "presets": "ops.presets",
    "read-models": "ops.read_models",
}

for name, module in COMMANDS.items():
    if importlib.util.find_spec(module) is not None:
        app.add_typer(importlib.import_module(module).app, name=name)

if __name__ == "__main__":
    app()

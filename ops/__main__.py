"""`python -m ops …`: every command that runs and looks after Darkroom."""

import importlib
import sys

import typer

GROUPS = {
    "stack": "ops.stack.cli",
    "topics": "ops.topics",
    "schemas": "ops.schemas",
    "presets": "ops.presets.cli",
    "variants": "ops.variants.cli",
    "runs": "ops.runs.cli",
    "read-models": "ops.read_models",
    "bucket": "ops.bucket",
    "erasures": "ops.erasures.cli",
    "housekeeping": "ops.housekeeping.cli",
    "objects": "ops.objects.cli",
    "subjects": "ops.subjects.cli",
    "users": "ops.users",
    "keys": "ops.keys",
    "audit": "ops.audit.cli",
    "jobs": "ops.jobs.cli",
    "dead-letters": "ops.dead_letters.cli",
    "docs": "ops.docs",
}
COMMANDS = {
    "ground": ("ops.ground", "command"),
    "health": ("ops.health", "command"),
    "migrate": ("ops.migrate", "command"),
    "sample": ("ops.sample", "command"),
    "state": ("ops.state", "command"),
    "seed": ("ops.seed", "command"),
}


def commands(wanted: str | None = None) -> typer.Typer:
    """The command line; given one of its words, that one alone, so that none waits for another's imports."""
    app = typer.Typer(no_args_is_help=True, help="Running Darkroom.", pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    everything = wanted not in {*GROUPS, *COMMANDS}
    for name, module in GROUPS.items():
        if name == wanted or everything:
            app.add_typer(importlib.import_module(module).app, name=name)
    for name, (module, function) in COMMANDS.items():
        if name == wanted or everything:
            app.command(name)(getattr(importlib.import_module(module), function))
    return app


if __name__ == "__main__":
    commands(next(iter(sys.argv[1:]), None))()

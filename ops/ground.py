"""`python -m ops ground`: all that must be there before a process of ours starts, laid in one go."""

from collections.abc import Callable, Mapping
from typing import Final

import typer

from adapters.settings import Settings, settings_or_exit
from ops import read_models, schemas, topics
from ops.migrate import migrate
from ops.presets import defining
from ops.waiting import Wait, quiet_logs

Lay = Callable[[Settings, float], object]
"""Lays one part, waiting so many seconds for what can't be reached; safe to repeat."""


PARTS: Final[Mapping[str, Lay]] = {
    "topics": lambda settings, wait: topics.apply(settings, wait=wait),
    "schemas": lambda settings, wait: schemas.register(settings, wait=wait),
    "migrations": migrate,
    "read-models": lambda settings, _: read_models.renew(settings),
    "presets": lambda settings, wait: defining.define(settings, wait=wait),
}
"""In an order that can be kept; each is also a command of its own (ops/stack/products.py names them)."""


def lay(settings: Settings, *, wait: float = 60.0) -> None:
    """Lay the ground. Raises typer.Exit, its sentences said on stderr, where a part can't be laid."""
    for part in PARTS.values():
        part(settings, wait)


def command(wait: Wait = 110.0) -> None:
    """Lay topics, schemas, tables and presets, each as its own command would; safe to repeat."""
    quiet_logs()
    settings = settings_or_exit()
    for name, part in PARTS.items():
        part(settings, wait)
        typer.echo(f"{name}: there")

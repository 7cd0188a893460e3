"""`python -m ops keys …`: replaces the secrets that tokens are signed with, step by step, without a gap."""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, assert_never

import typer

from adapters.settings import NamedSecret, Settings, settings_or_exit
from ops.private_files import write_private
from ops.waiting import WRONG, Json, leave

app = typer.Typer(no_args_is_help=True, help="The secrets that tokens are signed with.")

Step = Literal["introduce", "promote", "retire"]

# The time is part of the name, so that which one is the newest stands in the list itself.
_MADE_HERE: Final = re.compile(r"k[0-9]{14}")
_NEXT: Final = {
    "introduce": "All processes must know the new secret before one signs with it. Restart every process "
    "of the doors with this list, then run this command again.",
    "promote": "Now the new secret signs, and the old one is still believed. Restart every process of the "
    "doors with this list. When every token of the old one is out of date, run this command again.",
    "retire": "The old secret is out. Restart every process of the doors with this list; that was all.",
}


class Ring(StrEnum):
    """Which secrets."""

    JWT_SECRET = "JWT_SECRET"
    JWT_REFRESH_SECRET = "JWT_REFRESH_SECRET"
    TOKEN_SECRET = "TOKEN_SECRET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What to do next, and the list of secrets as it has to be then."""

    step: Step
    ring: tuple[NamedSecret, ...]

    def text(self) -> str:
        """The list as the setting spells it."""
        return ",".join(f"{named.kid}:{named.secret.decode()}" for named in self.ring)


@app.callback()
def _group() -> None:
    """Keeps `rotate` a sub-command while it is the only one."""


@app.command()
def rotate(
    secret: Annotated[Ring, typer.Argument(help="Which setting.")] = Ring.JWT_SECRET,
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", exists=True, dir_okay=False, help="Change the setting in this file."),
    ] = None,
    as_data: Json = False,
) -> None:
    """Take the next step of replacing a secret: introduce a new one, promote it, retire the old one.

    The step follows from the list that is set now. Nobody meets a 401 where every process is restarted
    between two steps, and tokens of the old secret run out before the last. Without a file the new list is
    printed. Exit code: 0, or 3 where the file does not set it.
    """
    next_step = following(_ring(settings_or_exit(), secret), now=datetime.now(UTC))
    if env_file is not None:
        _write(env_file, secret, next_step)
    if as_data:
        shown = {} if env_file is not None else {"value": next_step.text()}
        typer.echo(json.dumps({"secret": secret.value, "step": next_step.step, **shown}))
        return
    typer.echo(f"{next_step.step}: {_NEXT[next_step.step]}", err=True)
    if env_file is None:
        typer.echo(f"{secret.value}={next_step.text()}")


def following(ring: Sequence[NamedSecret], *, now: datetime) -> Rotation:
    """The step that follows on this list.

    Without a secret of ours that is newer than the first one is introduced, at the end; one at the end is
    promoted to the front; where the newest stands in front, the others are retired.
    """
    first, others = ring[0], list(ring[1:])
    newest = max(ring, key=_age)
    if others and _age(newest) > _age(first):
        rest = [named for named in ring if named is not newest]
        return Rotation(step="promote", ring=(newest, *rest))
    if others:
        return Rotation(step="retire", ring=(first,))
    fresh = NamedSecret(kid=f"k{now:%Y%m%d%H%M%S}", secret=secrets.token_urlsafe(32).encode())
    return Rotation(step="introduce", ring=(first, fresh))


def _age(named: NamedSecret) -> str:
    """Sorts by the time of making; names that are not of our making come before all."""
    return named.kid if _MADE_HERE.fullmatch(named.kid) else ""


def _ring(settings: Settings, which: Ring) -> tuple[NamedSecret, ...]:
    match which:
        case Ring.JWT_SECRET:
            return settings.secrets.jwt_secrets
        case Ring.JWT_REFRESH_SECRET:
            return settings.secrets.jwt_refresh_secrets
        case Ring.TOKEN_SECRET:
            return settings.secrets.token_secrets
        case _:
            assert_never(which)


def _write(path: Path, which: Ring, rotation: Rotation) -> None:
    """Replaces the setting's line, and the file at once; its mode becomes 0600."""
    lines = path.read_text().splitlines()
    own = [
        number for number, line in enumerate(lines) if re.match(rf"\s*(export\s+)?{which.value}\s*=", line)
    ]
    if len(own) != 1:
        leave(f"{path} sets {which.value} {len(own)} times; it must do so once.", code=WRONG)
    kept = "export " if lines[own[0]].lstrip().startswith("export ") else ""
    lines[own[0]] = f"{kept}{which.value}={rotation.text()}"
    write_private(path, "\n".join(lines) + "\n")

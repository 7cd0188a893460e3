"""What the commands on read models do where another release's forms are served, or stand beside ours."""

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import Connection
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ops.read_models_rate import Rate
from projections import checkpoints
from projections.beside import switching
from projections.beside.switching import FormsRefused
from projections.checkpoints import Loop

_LOOK_SECONDS: Final = 0.2
_TRIES: Final = 5


def unserved(conn: Connection[Any], loop: Loop, names: Sequence[str]) -> list[str]:
    """Which of these read models are not served in this release's form, where its log is served at all.

    Raises FormsRefused where some are and some are not.
    """
    there = switching.forms(conn, loop)
    if not any(form.served for form in there):
        return []
    served = {form.name for form in there if form.ours and form.served}
    apart = [name for name in names if name not in served]
    if apart and len(apart) < len(names):
        raise FormsRefused(f"{', '.join(apart)} have a form that is not served; name them by themselves")
    return apart


def require_one_form(conn: Connection[Any], loop: Loop) -> None:
    """Raises FormsRefused while forms stand beside those that are served: copies are of one form."""
    if others := [form.schema for form in switching.forms(conn, loop) if not form.served]:
        raise FormsRefused(
            f"{', '.join(others)} stand beside what is served; `switch` to them or `drop` them first"
        )


def build(conn: Connection[Any], loop: Loop, *, quiet: bool) -> int:
    """Shows how this release's projector fills its forms beside those that are served, until it is there.

    Returns how many records it took meanwhile. Raises FormsRefused where no projector of this release runs.
    """
    columns = (TextColumn(loop.topic), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    left = began = switching.missing(conn, loop)
    with Progress(*columns, disable=quiet) as progress:
        task = progress.add_task("filling", total=sum(checkpoints.served(conn, loop.topic).values()))
        while left:
            if not switching.kept(conn, loop, loop.fold.version):
                raise FormsRefused(
                    f"nobody fills the forms of this release: its projector does (`python -m projections "
                    f"{loop.name}`), beside the one that is served; {left:,} records are left"
                )
            time.sleep(_LOOK_SECONDS)
            left = switching.missing(conn, loop)
            total = sum(checkpoints.served(conn, loop.topic).values())
            progress.update(task, total=total, completed=total - left)
    return max(began - left, 0)


def switch(conn: Connection[Any], loop: Loop) -> list[str]:
    """As switching.switch, tried again while readers or projectors leave no gap."""
    for left in reversed(range(_TRIES)):
        try:
            return switching.switch(conn, loop)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if not left:
                raise
    raise AssertionError


def refuse_to_go_back(conn: Connection[Any], loop: Loop) -> None:
    """Raises FormsRefused: only a release whose forms they are knows which they are."""
    if others := [form.schema for form in switching.forms(conn, loop) if not form.served and not form.ours]:
        raise FormsRefused(
            f"{', '.join(others)} are of another release: its own `python -m ops read-models switch "
            f"{loop.fold.name}` serves them again"
        )


def described(conn: Connection[Any], loop: Loop) -> dict[str, Any] | None:
    """The forms of a log's read models as JSON, where not all of them are served."""
    there = switching.forms(conn, loop)
    if all(form.served for form in there):
        return None
    folds = {form.served: form.version for form in there if form.name == loop.fold.name}
    kept = {served: switching.kept(conn, loop, version) for served, version in folds.items()}
    forms = [
        {
            "name": form.name,
            "version": form.version,
            "served": form.served,
            "ours": form.ours,
            "kept": kept.get(form.served, False),
        }
        for form in there
    ]
    return {"topic": loop.topic, "behind": switching.missing(conn, loop), "forms": forms}


def sentences(said: dict[str, Any]) -> list[str]:
    """What `described` gives, for people."""
    return [
        f"{form['name']} v{form['version']} of {said['topic']} stands beside what is served"
        f"{', ' + format(said['behind'], ',') + ' records behind' if form['ours'] else ''}"
        f"{'' if form['kept'] else '; nobody keeps it'}."
        for form in said["forms"]
        if not form["served"]
    ]

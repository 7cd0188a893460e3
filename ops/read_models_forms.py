"""What the commands on read models do where another release's forms are served, or stand beside ours."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg import Connection

from adapters.settings import Settings
from ops.read_models_filling import Part, fill_shown, held
from ops.read_models_ground import ends_of
from ops.read_models_rate import shown
from projections import checkpoints, operating
from projections.beside import switching
from projections.beside.finding import loop_now
from projections.beside.switching import FormsRefused
from projections.checkpoints import Loop
from projections.rebuild.filling import NEAR
from projections.topic import describe

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


def build(settings: Settings, conn: Connection[Any], loop: Loop, workers: int, *, quiet: bool) -> int:
    """Fills this release's forms beside those that are served; returns how many records it took.

    What its projector, where one runs, will have in moments is left to it. Raises FoldIsServed, CopyRefused
    where somebody fills them already, RebuildStopped, and what keeps a projector from opening (Diverged,
    FormsChanged, TopicReplaced).
    """
    apart = loop_now(conn, loop)
    if not apart.beside:
        return 0
    partitions = range(len(ends_of(settings, apart)))
    with held(conn, apart, [apart.fold.schema]):
        operating.make_good(conn, apart)
        topic_id = describe(settings.kafka, apart.topic).topic_id
        at = checkpoints.open_positions(conn, apart, partitions, topic_id)
        kept = switching.kept(conn, apart, apart.fold.version)
        left = _left(at, checkpoints.served(conn, apart.topic), NEAR if kept else 0)
        parts = [Part(partition=number) for number in sorted(left, key=lambda number: -left[number])]
        filled = fill_shown(settings, apart, parts, workers, total=sum(left.values()), quiet=quiet)
    _follow(conn, apart, quiet=quiet)
    return filled


def _left(at: Mapping[int, int], goal: Mapping[int, int], near: int) -> dict[int, int]:
    """Of each partition that is further behind than so many records by how many."""
    left = {number: end - at.get(number, 0) for number, end in goal.items()}
    return {number: records for number, records in left.items() if records > near}


def _follow(conn: Connection[Any], loop: Loop, *, quiet: bool) -> None:
    """Waits until this release's projector, as long as it runs, is close behind what is served."""
    began = left = switching.missing(conn, loop)
    with shown(loop.topic, began, quiet=quiet or left <= NEAR) as show:
        while left > NEAR and switching.kept(conn, loop, loop.fold.version):
            time.sleep(_LOOK_SECONDS)
            left = switching.missing(conn, loop)
            show(began - left)


def switch(conn: Connection[Any], loop: Loop) -> list[str]:
    """As switching.switch, tried again while readers or projectors leave no gap."""
    for left in reversed(range(_TRIES)):
        try:
            return switching.switch(conn, loop)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if not left:
                raise
    raise AssertionError


def unkept(conn: Connection[Any], loop: Loop) -> str | None:
    """What to do where no projector of this release keeps its forms; None where one does."""
    if switching.kept(conn, loop, loop.fold.version):
        return None
    return (
        f"Nobody keeps these forms of {loop.topic}: start this release's projector (`python -m projections "
        f"{loop.name}`)."
    )


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

"""`python -m ops read-models rebuild | switch | rollback | verify | drop | list`."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any, Final

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from adapters.settings import Settings, settings_or_exit
from ops import read_models_forms
from ops.read_models_filling import Part, RebuildStopped, fill_shown, held, parts_of
from ops.read_models_ground import connection, ends_of, loops_of, sorry
from projections import checkpoints
from projections.beside import counting, switching
from projections.beside.counting import Counted, CountedTable
from projections.beside.finding import FoldIsServed
from projections.beside.switching import FormsRefused
from projections.checkpoints import Loop
from projections.rebuild import copies
from projections.rebuild.comparing import Comparison, compare
from projections.topic import partitions_of

_DIFFERENT: Final = 3
_TRIES: Final = 5
_REFUSALS: Final = (
    checkpoints.Diverged,
    checkpoints.FormsChanged,
    checkpoints.TopicReplaced,
    copies.CopyRefused,
    FoldIsServed,
    FormsRefused,
    RebuildStopped,
)

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Read models; `list` names them.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Processes that fill, each a partition at a time.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Unverified = Annotated[bool, typer.Option("--unverified", help="Switch although the rows differ.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (list_, rebuild, verify, switch, rollback, drop):
        app.command(command.__name__.rstrip("_"))(command)


def list_(as_json: Json = False) -> None:
    """List every read model, its version here and the one that is served, its log, its copy."""
    settings = settings_or_exit()
    rows: list[dict[str, Any]] = []
    with connection(settings) as conn:
        for loop in loops_of(settings, None):
            there, partitions = copies.every(conn, loop), partitions_of(settings.kafka, loop.topic)
            served = {form.name: form.version for form in switching.forms(conn, loop) if form.served}
            for model in loop.models:
                copy = described(there[model.name], partitions) if model.name in there else None
                own = {"name": model.name, "version": model.version, "served": served.get(model.name)}
                rows.append(own | {"loop": loop.name, "copy": copy})
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("read model", "version", "served", "log", "copy")
    for row in rows:
        copy, served_now = row["copy"], row["served"] or "-"
        said = (str(row["name"]), str(row["version"]), str(served_now), str(row["loop"]))
        table.add_row(*said, copy["state"] if copy else "")
    Console().print(table)


def rebuild(names: Names, workers: Workers = 2, as_json: Json = False) -> None:
    """Fill copies from the log's beginning, beside the rows that are served, and compare them.

    Killed or stopped, the same command goes on with the partitions that are missing. The running projector
    then writes both, until `switch` exchanges them or `drop` ends the copy. A form that is not served yet is
    filled in the same way, beside the one that is; this release's projector then keeps it.
    """
    settings = settings_or_exit()
    began, filled = time.monotonic(), 0
    told: list[Comparison | Counted] = []
    with _sentences(), connection(settings) as conn:
        for loop, chosen in _chosen(settings, names):
            if read_models_forms.unserved(conn, loop, chosen):
                filled += read_models_forms.build(settings, conn, loop, workers, quiet=as_json)
                if advice := read_models_forms.unkept(conn, loop):
                    typer.echo(advice, err=True)
                told.append(_counted(settings, conn, loop))
                continue
            read_models_forms.require_one_form(conn, loop)
            with held(conn, loop, chosen):
                copies.begin(conn, loop, chosen)
                parts = parts_of(copies.every(conn, loop), chosen, partitions_of(settings.kafka, loop.topic))
                filled += _filled(settings, conn, loop, parts, workers, quiet=as_json)
                for name in chosen:
                    copies.finish(conn, loop, name)
                told.append(compare(conn, loop, chosen))
    seconds = time.monotonic() - began
    _say(told, as_json=as_json, records=filled, seconds=round(seconds, 3))


def verify(names: Names, as_json: Json = False) -> None:
    """Compare copies with what is served: counts and digests in one snapshot; exit 3 if they differ.

    Of a new form only the numbers of rows can be compared.
    """
    settings = settings_or_exit()
    with _sentences(), connection(settings) as conn:
        told = [_compared(settings, conn, loop, chosen) for loop, chosen in _chosen(settings, names)]
    _say(told, as_json=as_json)


def switch(names: Names, unverified: Unverified = False, as_json: Json = False) -> None:
    """Serve the copies from now on; what was served follows as their copy, for `rollback`, until `drop`.

    Where the read models have a new form, all forms of this release that belong to the same log are served.
    """
    settings = settings_or_exit()
    with _sentences(), connection(settings) as conn:
        for loop, chosen in _chosen(settings, names):
            if not unverified and not (compared := _compared(settings, conn, loop, chosen)).same:
                _say([compared], as_json=as_json)
            if read_models_forms.unserved(conn, loop, chosen):
                read_models_forms.switch(conn, loop)
                if advice := read_models_forms.unkept(conn, loop):
                    typer.echo(advice, err=True)
            else:
                read_models_forms.require_one_form(conn, loop)
                _switch(conn, loop, chosen, back=False)
    typer.echo(
        json.dumps({"switched": names}) if as_json else f"Served now: what was beside of {', '.join(names)}."
    )


def rollback(names: Names, as_json: Json = False) -> None:
    """Serve again what was served before the switch."""
    settings = settings_or_exit()
    with _sentences(), connection(settings) as conn:
        for loop, chosen in _chosen(settings, names):
            read_models_forms.refuse_to_go_back(conn, loop)
            _switch(conn, loop, chosen, back=True)
    typer.echo(
        json.dumps({"rolled_back": names}) if as_json else f"Served again: the former {', '.join(names)}."
    )


def drop(names: Names, as_json: Json = False) -> None:
    """End copies and drop their tables; likewise forms of the log that are not served and nobody keeps."""
    settings = settings_or_exit()
    with _sentences(), connection(settings) as conn:
        for loop, chosen in _chosen(settings, names):
            if any(not form.served for form in switching.forms(conn, loop)):
                switching.drop(conn, loop)
                continue
            for name in chosen:
                copies.drop(conn, loop, name)
    _done("dropped", "Dropped: what stood beside", names, as_json=as_json)


def described(copy: copies.Copy, partitions: int) -> dict[str, Any]:
    """A copy as JSON."""
    return {
        "name": copy.name,
        "version": copy.version,
        "state": copy.state,
        "filled": len(copy.filled),
        "partitions": partitions,
        "records": copy.records,
    }


def sentence(copy: dict[str, Any]) -> str:
    """What `described` gives, for people."""
    return (
        f"Copy of {copy['name']} v{copy['version']}: {copy['state']}, {copy['filled']} of "
        f"{copy['partitions']} partitions, {copy['records']} records filled in."
    )


def _done(what: str, sentence: str, names: Sequence[str], *, as_json: bool) -> None:
    typer.echo(json.dumps({what: names}) if as_json else f"{sentence} {', '.join(names)}.")


def _filled(
    settings: Settings,
    conn: psycopg.Connection[Any],
    loop: Loop,
    parts: Sequence[Part],
    workers: int,
    *,
    quiet: bool,
) -> int:
    """Fills the parts; returns how many records went in."""
    stands = checkpoints.read_positions(conn, loop, range(partitions_of(settings.kafka, loop.topic)))
    ends_of(settings, loop)  # a sentence where the broker is away or the topic another
    total = sum(stands.get(part.partition, 0) for part in parts)
    return fill_shown(settings, loop, parts, workers, total=total, quiet=quiet)


def _chosen(settings: Settings, names: Sequence[str]) -> Iterator[tuple[Loop, list[str]]]:
    """The loops of the named read models; raises CopyRefused for a name that is nobody's."""
    loops = loops_of(settings, None)
    known = {model.name for loop in loops for model in loop.models}
    if strange := [name for name in names if name not in known]:
        raise copies.CopyRefused(f"There is no read model {strange[0]}; `list` names them")
    for loop in loops:
        if chosen := [model.name for model in loop.models if model.name in names]:
            yield loop, chosen


def _switch(conn: psycopg.Connection[Any], loop: Loop, names: Sequence[str], *, back: bool) -> None:
    """Tried again while readers or the projector leave no gap."""
    for left in reversed(range(_TRIES)):
        try:
            copies.switch(conn, loop, names, back=back)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if not left:
                raise
        else:
            return


@contextmanager
def _sentences() -> Iterator[None]:
    """What can't be done is said in a sentence."""
    try:
        yield
    except _REFUSALS as refusal:
        raise sorry(f"{refusal}.") from refusal
    except psycopg.errors.IdleInTransactionSessionTimeout as error:
        raise sorry("Postgres ended what stood still while others waited for it; repeat it.") from error


def _compared(
    settings: Settings, conn: psycopg.Connection[Any], loop: Loop, chosen: Sequence[str]
) -> Comparison | Counted:
    if read_models_forms.unserved(conn, loop, chosen):
        return _counted(settings, conn, loop)
    return compare(conn, loop, chosen)


def _counted(settings: Settings, conn: psycopg.Connection[Any], loop: Loop) -> Counted:
    switching.require_there(conn, loop)
    with connection(settings) as holder:
        return counting.count(conn, holder, loop)


def _alike(row: CountedTable, behind: int) -> str:
    """How a table of another form compares."""
    if behind:
        return f"{behind:,} records behind"
    if row.alike is None:
        return "in one form only"
    return "same in what both have" if row.alike else "another form: what both have differs"


def _say(told: Sequence[Comparison | Counted], *, as_json: bool, **figures: float) -> None:
    """Says how copies compare; raises typer.Exit where they differ."""
    same = all(each.same for each in told)
    copied = [each for each in told if isinstance(each, Comparison)]
    counted = [each for each in told if isinstance(each, Counted)]
    if as_json:
        tables = [asdict(table) | {"same": table.same} for each in copied for table in each.tables]
        said = {"same": same, "positions": [each.positions for each in copied], "tables": tables}
        beside = {"forms": [asdict(each) for each in counted]} if counted else {}
        typer.echo(json.dumps(said | beside | figures))
    else:
        table = Table("table", "rows", "rows beside", "")
        for one in [one for each in copied for one in each.tables]:
            differ = f"differ: {', '.join(one.differing)}"
            table.add_row(one.table, str(one.live[0]), str(one.copy[0]), "same" if one.same else differ)
        for row, behind in [(row, each.behind) for each in counted for row in each.tables]:
            rows = ("-" if n is None else str(n) for n in (row.served, row.beside))
            table.add_row(row.table, *rows, _alike(row, behind))
        Console().print(table)
        if aside := sum(each.only_beside for each in counted):
            typer.echo(f"{aside:,} records are set aside beside, and are not in what is served.")
        if "records" in figures:
            typer.echo(f"{figures['records']:,} records in {figures['seconds']:.1f} s.")
    if not same:
        raise typer.Exit(_DIFFERENT)

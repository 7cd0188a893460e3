"""`python -m ops schemas …`: the only place where schemas are registered, under FULL_TRANSITIVE."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from adapters.schema_registry import (
    COMPATIBILITY,
    ConfluentSchemaRegistry,
    RegistryRefused,
    RegistryUnavailable,
    SchemaIncompatible,
    SchemaRegistry,
)
from adapters.settings import Settings, settings_or_exit
from ops.log_headers import misnamed_records
from ops.waiting import WRONG, Json, Wait, leave, patiently
from schemas.avsc import avsc_text
from schemas.catalogue import CATALOGUE, EventType
from schemas.topics import Topics

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="The schemas of the events: register them, check the registry.")

Log = Annotated[bool, typer.Option("--log", help="Also read the log: does each id mean what headers say?")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one version of a schema stands in the registry; `wrong` is empty where all is well."""

    subject: str
    file: str
    schema_id: int | None
    compatibility: str | None
    wrong: str


@app.command("register")
def register_command(wait: Wait = 60.0, as_data: Json = False) -> None:
    """Register every version of every schema; safe to repeat. Exit code: 0, or 3 where one is refused."""
    registered = register(settings_or_exit(), wait=wait)
    if as_data:
        typer.echo(json.dumps(registered, indent=1))
    else:
        typer.echo(f"{len(registered)} schemas registered under {COMPATIBILITY}.")


@app.command()
def check(wait: Wait = 60.0, log: Log = False, as_data: Json = False) -> None:
    """Compare the registry with our schemas. Exit code: 0, or 3 where something is missing or differs."""
    settings = settings_or_exit()
    with closing(ConfluentSchemaRegistry(settings.registry)) as registry:
        standings = _patiently(settings, wait, lambda: list(standings_of(registry, settings.kafka.topics)))
        wrong = [standing.wrong for standing in standings if standing.wrong]
        if log and not wrong:
            wrong.extend(misnamed_records(settings, registry))
    if as_data:
        typer.echo(json.dumps({"schemas": [asdict(one) for one in standings], "wrong": wrong}, indent=1))
    else:
        Console().print(_table(standings))
    if wrong:
        leave(*(() if as_data else wrong), code=WRONG)


def register(settings: Settings, *, wait: float = 60.0) -> dict[str, int]:
    """Registers all schemas, each subject under FULL_TRANSITIVE first; returns the id of each .avsc file.

    Raises typer.Exit: 1 where the registry does not answer for `wait` seconds, 3 where it refuses.
    """
    with closing(ConfluentSchemaRegistry(settings.registry)) as registry:
        return _patiently(settings, wait, lambda: register_all(registry, settings.kafka.topics))


def register_all(registry: SchemaRegistry, topics: Topics) -> dict[str, int]:
    """As `register`, in any registry; raises RegistryError."""
    ids: dict[str, int] = {}
    for row in CATALOGUE:
        subject = row.subject(topics)
        if registry.compatibility(subject) != COMPATIBILITY:
            registry.set_compatibility(subject, COMPATIBILITY)
        for version, file in enumerate(row.versions, start=1):
            try:
                ids[file] = registry.register(subject, avsc_text(row, version))
            except SchemaIncompatible as error:
                raise SchemaIncompatible(f"{file} can't follow what {subject} has: {error}") from error
    return ids


def standings_of(registry: SchemaRegistry, topics: Topics) -> Iterator[Standing]:
    """How each version of each schema stands; raises RegistryError."""
    for row in CATALOGUE:
        for version in range(1, row.newest + 1):
            yield _standing(registry, row, version, topics)


def _standing(registry: SchemaRegistry, row: EventType, version: int, topics: Topics) -> Standing:
    subject, file = row.subject(topics), row.versions[version - 1]
    schema_id, level = registry.lookup(subject, avsc_text(row, version)), registry.compatibility(subject)
    wrong = ""
    if schema_id is None:
        wrong = f"Subject {subject} has no schema like {file}. Run `python -m ops schemas register`."
    elif level != COMPATIBILITY:
        told = level or "no compatibility of its own"
        wrong = f"Subject {subject} has {told}, not {COMPATIBILITY}. Run `python -m ops schemas register`."
    return Standing(subject=subject, file=file, schema_id=schema_id, compatibility=level, wrong=wrong)


def _patiently(settings: Settings, wait: float, ask: Callable[[], T]) -> T:
    try:
        return patiently(
            ask, RegistryUnavailable, what=f"the registry at {settings.registry.url}", seconds=wait
        )
    except RegistryRefused as error:
        leave(f"The registry refuses: {error}", code=WRONG)


def _table(standings: list[Standing]) -> Table:
    # Subjects hold the same names once more and twice as long; `--json` gives them.
    table = Table(Column("schema", overflow="fold"), "id", "compatibility", "well", box=None, pad_edge=False)
    for one in standings:
        table.add_row(
            one.file.removesuffix(".avsc"),
            str(one.schema_id or ""),
            one.compatibility or "",
            "no" if one.wrong else "yes",
        )
    return table

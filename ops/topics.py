"""`python -m ops topics …`: the only place where topics are created or altered."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from adapters.settings import Settings, settings_or_exit
from adapters.topics import (
    BrokerUnreachable,
    Comparison,
    ObservedTopic,
    TopicAdmin,
    TopicDrift,
    compare,
    specs_of,
)
from ops.waiting import WRONG, Json, Wait, leave, patiently
from schemas.topics import TopicSpec

app = typer.Typer(no_args_is_help=True, help="The topics of the log: see what is missing, create, check.")

_SETTLE_SECONDS = 10.0
Alter = Annotated[bool, typer.Option("--alter", help="Set topic settings that differ, too.")]


class _NotSettled(Exception):
    """The brokers have not all heard of the new topics yet."""


@app.command()
def plan(wait: Wait = 60.0, as_data: Json = False) -> None:
    """Show what `apply` would do. Exit code: 0, or 3 where something differs that it would not touch."""
    settings = settings_or_exit()
    _, compared = _look(settings, wait)
    if as_data:
        typer.echo(json.dumps(_as_data(compared), indent=1))
    else:
        for spec in compared.missing:
            typer.echo(f"Would create {_described(spec)}.")
        if not compared.sentences:
            typer.echo("Nothing to do.")
    if compared.differences:
        leave(*(() if as_data else compared.sentences[len(compared.missing) :]), code=WRONG)


@app.command("apply")
def apply_command(alter: Alter = False, wait: Wait = 60.0, as_data: Json = False) -> None:
    """Create the topics that are missing. Exit code: 0, or 3 where one differs from what it must be."""
    created = apply(settings_or_exit(), alter=alter, wait=wait)
    if as_data:
        typer.echo(json.dumps({"created": created}))
    else:
        typer.echo(f"Created: {', '.join(created) or 'nothing, all topics were there'}.")


@app.command()
def check(wait: Wait = 60.0, as_data: Json = False) -> None:
    """Compare the topics with what they must be. Exit code: 0, or 3 where one is missing or differs."""
    settings = settings_or_exit()
    observed, compared = _look(settings, wait)
    if as_data:
        typer.echo(json.dumps(_as_data(compared), indent=1))
    else:
        Console().print(_table(specs_of(settings.kafka), observed))
    if compared.sentences:
        leave(*(() if as_data else compared.sentences), code=WRONG)


def apply(settings: Settings, *, alter: bool = False, wait: float = 60.0) -> list[str]:
    """Creates the missing topics and returns their names, once every broker asked knows them.

    Raises typer.Exit: 1 where no broker answers for `wait` seconds, 3 with the reasons where a topic differs.
    Settings that differ are set only with `alter`; partitions and replication never.
    """
    admin, specs = TopicAdmin(settings.kafka), specs_of(settings.kafka)
    _, compared = _look(settings, wait)
    fixed = [one for one in compared.differences if not (alter and one.alterable)]
    if fixed:
        leave(*(one.sentence for one in fixed), code=WRONG)

    def settled() -> None:
        now = compare(specs, admin.observe(spec.name for spec in specs))
        if now.missing or (alter and now.differences):
            raise _NotSettled("not every broker knows of the change yet")
        if now.differences:
            leave(*now.sentences, code=WRONG)

    try:
        admin.create(compared.missing)
        admin.alter(compared.differences)
    except TopicDrift as error:
        leave(*error.sentences, code=WRONG)
    except BrokerUnreachable as error:
        leave(f"The brokers at {settings.kafka.bootstrap_servers} went away: {error}.", code=1)
    patiently(settled, _NotSettled, what="the brokers to agree", seconds=_SETTLE_SECONDS)
    return [spec.name for spec in compared.missing]


def _look(settings: Settings, wait: float) -> tuple[Mapping[str, ObservedTopic], Comparison]:
    specs = specs_of(settings.kafka)
    observed = patiently(
        lambda: TopicAdmin(settings.kafka).observe(spec.name for spec in specs),
        BrokerUnreachable,
        what=f"a broker at {settings.kafka.bootstrap_servers}",
        seconds=wait,
    )
    return observed, compare(specs, observed)


def _as_data(compared: Comparison) -> dict[str, Any]:
    return {
        "missing": [
            {
                "topic": spec.name,
                "partitions": spec.partitions,
                "replication": spec.replication,
                "config": dict(spec.config),
            }
            for spec in compared.missing
        ],
        "differences": [
            {"topic": one.topic, "setting": one.setting, "actual": one.actual, "wanted": one.wanted}
            for one in compared.differences
        ],
    }


def _described(spec: TopicSpec) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in spec.config.items())
    return f"{spec.name}: partitions={spec.partitions}, replication={spec.replication}, {settings}"


def _table(specs: tuple[TopicSpec, ...], observed: Mapping[str, ObservedTopic]) -> Table:
    table = Table(
        Column("topic", overflow="fold"),
        "partitions",
        "replication",
        "cleanup",
        "well",
        box=None,
        pad_edge=False,
    )
    for spec in specs:
        topic = observed.get(spec.name)
        if topic is None:
            table.add_row(spec.name, "", "", "", "missing")
            continue
        well = not compare([spec], observed).sentences
        cleanup = topic.config.get("cleanup.policy", "")
        table.add_row(
            spec.name, str(topic.partitions), str(topic.replication), cleanup, "yes" if well else "no"
        )
    return table

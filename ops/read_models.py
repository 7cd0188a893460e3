"""`python -m ops read-models …`: install, look at and replay what the projector keeps."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import psycopg
import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from adapters import read_store
from adapters.settings import Settings, settings_or_exit
from projections import operating, read_models
from projections.checkpoints import Loop, live_loop
from projections.topic import TopicMissing, WrongPartitions, ends

app = typer.Typer(no_args_is_help=True, help="The read models: rows that are folded from the log.")

_LOOK_SECONDS: Final = 0.2

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until all that the log holds now is applied.")]


@app.command()
def install(as_json: Json = False) -> None:
    """Make the tables of every read model, and the views that queries read; safe to repeat."""
    with _connection(settings_or_exit()) as conn:
        read_models.install(conn)
    schemas = [model.schema for model in read_models.OF_ASSETS]
    typer.echo(json.dumps({"schemas": schemas}) if as_json else f"Installed: {', '.join(schemas)}.")


@app.command()
def status(as_json: Json = False) -> None:
    """Show how far the read models have come, and what is set aside."""
    settings = settings_or_exit()
    said = _status(settings, live_loop(settings.kafka.topics.assets))
    if as_json:
        typer.echo(json.dumps(said))
    else:
        _print_status(said)


@app.command()
def reset(wait: Wait = False, as_json: Json = False) -> None:
    """Drop all rows and replay them from the log's beginning; safe while the projector runs."""
    settings = settings_or_exit()
    loop = live_loop(settings.kafka.topics.assets)
    with _connection(settings) as conn:
        operating.reset(conn, loop)
    if wait:
        _wait(settings, loop, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(_status(settings, loop)))
    elif not wait:
        typer.echo(
            "Rows dropped; the projector replays them. `python -m ops read-models status` shows how far."
        )


def _status(settings: Settings, loop: Loop) -> dict[str, Any]:
    with _connection(settings) as conn:
        standing = operating.standing(conn, loop)
    last = _ends(settings, loop)
    partitions = [
        {
            "partition": partition,
            "position": standing.positions.get(partition, 0),
            "end": end,
            "lag": max(0, end - standing.positions.get(partition, 0)),
        }
        for partition, end in sorted(last.items())
    ]
    return {
        "topic": loop.topic,
        "read_models": [
            {"name": version.name, "version": version.version, "active": version.active}
            for version in standing.versions
        ],
        "partitions": partitions,
        "lag": sum(each["lag"] for each in partitions),
        "set_aside": standing.set_aside,
    }


def _print_status(said: dict[str, Any]) -> None:
    table = Table(title=said["topic"])
    for column in ("partition", "position", "end", "lag"):
        table.add_column(column, justify="right")
    for each in said["partitions"]:
        table.add_row(*(str(each[column]) for column in ("partition", "position", "end", "lag")))
    console = Console()
    console.print(table)
    shown = [
        f"{each['name']} v{each['version']}{'' if each['active'] else ' (not active)'}"
        for each in said["read_models"]
    ]
    console.print(
        f"Read models: {', '.join(shown) or 'none installed'}. "
        f"Lag: {said['lag']}. Set aside: {said['set_aside']}."
    )


def _wait(settings: Settings, loop: Loop, *, quiet: bool) -> None:
    """Shows progress until what the log holds now is applied, however long the projector takes."""
    goal = _ends(settings, loop)
    total = sum(goal.values())
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=quiet) as progress, _connection(settings) as conn:
        task = progress.add_task("replaying", total=total)
        while True:
            at = operating.standing(conn, loop).positions
            done = sum(min(at.get(partition, 0), end) for partition, end in goal.items())
            progress.update(task, completed=done)
            if done >= total:
                return
            time.sleep(_LOOK_SECONDS)


def _ends(settings: Settings, loop: Loop) -> dict[int, int]:
    try:
        return ends(settings.kafka, loop.topic)
    except (TopicMissing, WrongPartitions) as error:
        raise _sorry(str(error)) from error
    except KafkaException as error:
        raise _sorry(
            f"Kafka can't be reached: {error.args[0].str()}. Check KAFKA_BOOTSTRAP_SERVERS."
        ) from error


@contextmanager
def _connection(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    try:
        with read_store.connect(settings) as conn:
            conn.autocommit = True
            yield conn
    except psycopg.errors.UndefinedTable as error:
        raise _sorry("The database has no tables of ours; run `python -m ops migrate` first.") from error
    except psycopg.OperationalError as error:
        raise _sorry(f"Postgres can't be reached: {error}. Check DATABASE_URL.") from error


def _sorry(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(1)

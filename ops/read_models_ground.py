"""What the commands on read models stand on: a database, a log, and sentences when one is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import typer
from confluent_kafka import KafkaException

from adapters import read_store
from adapters.settings import Settings
from ops.waiting import first_line
from projections.checkpoints import LOOPS, Loop, LoopName, live_loop
from projections.topic import TopicMissing, WrongPartitions, ends


def loops_of(settings: Settings, only: LoopName | None) -> list[Loop]:
    """The loop that is named, or all."""
    return [live_loop(settings.kafka.topics, name) for name in LOOPS if only in {None, name}]


def ends_of(settings: Settings, loop: Loop) -> dict[int, int]:
    """As projections.topic.ends; raises typer.Exit, its sentence said."""
    try:
        return ends(settings.kafka, loop.topic)
    except (TopicMissing, WrongPartitions) as error:
        raise sorry(str(error)) from error
    except KafkaException as error:
        raise sorry(
            f"Kafka can't be reached: {error.args[0].str()}. Check KAFKA_BOOTSTRAP_SERVERS."
        ) from error


@contextmanager
def connection(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit mode; raises typer.Exit, its sentence said, where there is none."""
    try:
        with read_store.connect(settings) as conn:
            conn.autocommit = True
            yield conn
    except psycopg.errors.UndefinedTable as error:
        raise sorry("The database has no tables of ours; run `python -m ops migrate` first.") from error
    except psycopg.OperationalError as error:
        raise sorry(f"Postgres can't be reached: {first_line(error)}. Check DATABASE_URL.") from error


def sorry(sentence: str) -> typer.Exit:
    """Says the sentence; to be raised."""
    typer.echo(sentence, err=True)
    return typer.Exit(1)

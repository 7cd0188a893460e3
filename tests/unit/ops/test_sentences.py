"""What goes wrong under a command becomes a sentence and an exit code, never a traceback."""

import threading
from collections.abc import Callable

import psycopg
import pytest
import typer
from confluent_kafka import KafkaError, KafkaException
from psycopg_pool import PoolTimeout

from adapters.event_log import LogUnavailable
from adapters.schema_registry import ContractMismatch, RegistryUnavailable
from adapters.topics import BrokerUnreachable
from ops.sentences import in_sentences, until_stopped
from ops.waiting import UNREACHABLE, WRONG


@pytest.mark.parametrize(
    ("failure", "code", "sentence"),
    [
        (lambda: LogUnavailable("gone"), UNREACHABLE, "A server can't be reached: gone."),
        (lambda: RegistryUnavailable("gone"), UNREACHABLE, "A server can't be reached: gone."),
        (lambda: KafkaException(KafkaError(-195)), UNREACHABLE, "Kafka can't be reached: "),
        (lambda: psycopg.OperationalError("gone"), UNREACHABLE, "Postgres can't be reached: gone."),
        (lambda: PoolTimeout("late"), UNREACHABLE, "Postgres can't be reached: late."),
        (lambda: psycopg.errors.UndefinedTable("jobs"), WRONG, "The read models are not installed;"),
        (lambda: ContractMismatch(("One.", "Two.")), WRONG, "One.\nTwo.\n"),
    ],
)
def test_a_failure_is_a_sentence(
    failure: Callable[[], Exception], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left, in_sentences():
        raise failure()
    assert left.value.exit_code == code
    assert capsys.readouterr().err.startswith(sentence)


def test_where_1_has_another_meaning_what_is_away_is_something_else() -> None:
    with pytest.raises(typer.Exit) as left, in_sentences(unreachable=WRONG):
        raise psycopg.OperationalError("gone")
    assert left.value.exit_code == WRONG


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), in_sentences():
        raise ZeroDivisionError


def test_a_process_that_was_told_to_stop_is_not_wrong() -> None:
    stop = threading.Event()
    with pytest.raises(typer.Exit) as left, until_stopped(stop):
        raise BrokerUnreachable("gone")
    assert left.value.exit_code == UNREACHABLE
    stop.set()
    with until_stopped(stop):
        raise BrokerUnreachable("gone")

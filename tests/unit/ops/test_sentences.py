"""What goes wrong under a command becomes a sentence and an exit code, never a traceback."""

import threading
from collections.abc import Callable

import psycopg
import pytest
import typer
from confluent_kafka import KafkaError, KafkaException
from psycopg_pool import PoolTimeout

from adapters.event_log import LogUnavailable
from adapters.schema_registry import ContractMismatch, RegistryUnavailable, load_codec
from adapters.settings import load_settings
from adapters.topics import BrokerUnreachable
from ops.sentences import in_sentences, until_stopped
from ops.waiting import UNREACHABLE, WRONG, quiet_logs, stop_after


@pytest.mark.parametrize(
    ("failure", "code", "sentence"),
    [
        (lambda: LogUnavailable("gone"), UNREACHABLE, "A server can't be reached: gone."),
        (
            lambda: RegistryUnavailable("gone"),
            UNREACHABLE,
            "The schema registry can't be reached: gone. Check",
        ),
        (
            lambda: BrokerUnreachable("gone"),
            UNREACHABLE,
            "Kafka can't be reached: gone. Check KAFKA_BOOTSTRAP",
        ),
        (lambda: KafkaException(KafkaError(-195)), UNREACHABLE, "Kafka can't be reached: "),
        (lambda: psycopg.OperationalError("gone"), UNREACHABLE, "Postgres can't be reached: gone."),
        (
            lambda: psycopg.OperationalError("gone\n\tIs it?"),
            UNREACHABLE,
            "Postgres can't be reached: gone. Ch",
        ),
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


def test_what_a_command_waits_for_is_said_at_once_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    quiet_logs()
    with pytest.raises(RegistryUnavailable), stop_after(1.5) as stop:
        load_codec(load_settings({"SCHEMA_REGISTRY_URL": "http://127.0.0.1:9"}), stop=stop)
    assert capsys.readouterr().err == "Waiting for the schema registry …\n"

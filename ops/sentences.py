"""Failures as sentences: what a command says, and with which exit code, where a server is away or wrong."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from confluent_kafka import KafkaException
from psycopg_pool import PoolTimeout

from adapters.dead_letters import LettersUnreadable
from adapters.event_log import AppendFailed
from adapters.schema_registry import ContractMismatch, RegistryRefused, RegistryUnavailable
from adapters.settings import SettingsError
from adapters.topics import BrokerUnreachable, TopicDrift
from ops.waiting import UNREACHABLE, WRONG, first_line, leave
from projections.log_reader import OffsetOutOfRange
from projections.topic import TopicMissing, WrongPartitions


@contextmanager
def in_sentences(*, unreachable: int = UNREACHABLE) -> Iterator[None]:
    """Ends the command where something is away (exit code `unreachable`) or not as it must be (WRONG)."""
    try:
        yield
    except BrokerUnreachable as error:
        leave(f"Kafka can't be reached: {error}. Check KAFKA_BOOTSTRAP_SERVERS.", code=unreachable)
    except RegistryUnavailable as error:
        leave(f"The schema registry can't be reached: {error}. Check SCHEMA_REGISTRY_URL.", code=unreachable)
    except (AppendFailed, LettersUnreadable) as error:
        leave(f"A server can't be reached: {error}.", code=unreachable)
    except RegistryRefused as error:
        leave(f"The registry refuses: {error}.", code=unreachable)
    except KafkaException as error:
        leave(
            f"Kafka can't be reached: {error.args[0].str()}. Check KAFKA_BOOTSTRAP_SERVERS.",
            code=unreachable,
        )
    except (TopicDrift, ContractMismatch) as error:
        leave(*error.sentences, code=WRONG)
    except (TopicMissing, WrongPartitions, OffsetOutOfRange) as error:
        leave(f"{error}.", code=WRONG)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        leave("The read models are not installed; run `python -m ops read-models install`.", code=WRONG)
    except (psycopg.OperationalError, PoolTimeout) as error:
        leave(f"Postgres can't be reached: {first_line(error)}. Check DATABASE_URL.", code=unreachable)


@contextmanager
def until_stopped(stop: threading.Event) -> Iterator[None]:
    """Ends a process that never should end with a sentence and exit code 1, unless it was told to stop."""
    try:
        yield
    except (BrokerUnreachable, RegistryUnavailable) as error:
        if not stop.is_set():
            leave(f"{error}", code=UNREACHABLE)
    except (TopicDrift, ContractMismatch) as error:
        leave(*error.sentences, code=UNREACHABLE)
    except SettingsError as error:
        leave(str(error), code=UNREACHABLE)

"""What keeps the projector from going on, how it waits, and what it says meanwhile."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

import psycopg
import structlog
from confluent_kafka import KafkaError, KafkaException

from adapters.dead_letters import DeadLetterNotWritten
from adapters.subject_keys import KeyTrouble
from adapters.telemetry.labels import Dependency
from adapters.telemetry.of_projector import ProjectorMetrics

OUTAGES: Final = (psycopg.Error, KafkaException, DeadLetterNotWritten, KeyTrouble)
"""What is tried again for ever: nothing in it is the fault of a record."""

_SHORTEST_SECONDS: Final = 0.05
_LONGEST_SECONDS: Final = 5.0

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class Stopping(Exception):
    """The process is to end while something was waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is or was wrong, and since when; `error` is its class and code, without any further words."""

    reason: str
    error: str | None
    since: datetime


class Condition:
    """Why this process is not ready, by what is wrong. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._troubles: dict[tuple[str, str], Trouble] = {}
        self._errors: dict[str, Trouble] = {}
        self._part = ""

    def part(self, name: str) -> "Condition":
        """That of one of several loops: it speaks of its own troubles, and they count among all here."""
        part = Condition()
        part._lock, part._troubles, part._errors, part._part = self._lock, self._troubles, self._errors, name
        return part

    def trouble(self, what: str, reason: str, *, error: str | None = None) -> None:
        """Notes that something is wrong; `error` where it is a fault, by class and code."""
        now = datetime.now(UTC)
        with self._lock:
            before = self._troubles.get((self._part, what))
            since = now if before is None else before.since
            self._troubles[self._part, what] = Trouble(reason=reason, error=error, since=since)
            if error is not None:
                self._errors[self._part] = Trouble(reason=reason, error=error, since=now)

    def well(self, what: str) -> None:
        """Notes that nothing is wrong with it any more."""
        with self._lock:
            self._troubles.pop((self._part, what), None)

    def reason(self) -> str | None:
        """Everything that is wrong, in words; None when nothing is."""
        return "; ".join(dict.fromkeys(trouble.reason for trouble in self.troubles())) or None

    def troubles(self) -> list[Trouble]:
        """Everything that is wrong."""
        with self._lock:
            return [each for (part, _), each in self._troubles.items() if self._part in {"", part}]

    def last_error(self) -> Trouble | None:
        """The fault that was met last, over or not."""
        with self._lock:
            own = [each for part, each in self._errors.items() if self._part in {"", part}]
        return max(own, key=lambda each: each.since, default=None)


class Patience:
    """Tries things again through outages, and says meanwhile why the process is not ready."""

    def __init__(
        self,
        *,
        condition: Condition,
        metrics: ProjectorMetrics,
        stop: threading.Event,
        beat: Callable[[], None],
    ) -> None:
        self.condition = condition
        self.stop = stop
        self.beat = beat
        self._metrics = metrics

    def until_done(self, what: str, act: Callable[[], _T], *more: type[Exception]) -> _T:
        """What `act` gives or raises, tried again at an outage (or one of `more`); raises Stopping."""
        outages: tuple[type[Exception], ...] = (*OUTAGES, *more)
        attempt = 0
        while not self.stop.is_set():
            self.beat()
            try:
                done = act()
            except outages as error:
                attempt += 1
                self._note(what, error, attempt)
                self.stop.wait(_pause(attempt))
            except Exception:
                self._over(what, attempt)
                raise
            else:
                self._over(what, attempt)
                return done
        raise Stopping

    def _over(self, what: str, attempts: int) -> None:
        if attempts:
            self.condition.well(what)
            _log.info("outage.over", what=what, attempts=attempts)

    def _note(self, what: str, error: Exception, attempt: int) -> None:
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        self._metrics.outages.of(away(error)).inc()
        self.condition.trouble(what, f"{what}: {reason}", error=f"{what}: {named(error)}")
        _log.warning("outage", what=what, reason=reason, attempt=attempt)


def named(error: Exception) -> str:
    """Class and code of an error: all that may be shown of it where its words could hold anything."""
    match error:
        case psycopg.Error():
            code = error.sqlstate
        case KafkaException(args=[KafkaError() as inner, *_]):
            code = inner.name()
        case _:
            code = None
    return type(error).__name__ + (f" ({code})" if code else "")


def away(error: Exception) -> Dependency:
    """Which dependency an outage is of."""
    match error:
        case psycopg.Error():
            return "postgres"
        case DeadLetterNotWritten():
            return "dead_letters"
        case KeyTrouble():
            return "keys"
        case _:
            return "log"


def _pause(attempt: int) -> float:
    """Seconds to wait before the next try, growing to 5, with jitter."""
    longest = min(_LONGEST_SECONDS, _SHORTEST_SECONDS * 2.0 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, no secret

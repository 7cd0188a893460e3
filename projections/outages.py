"""What keeps the projector from going on, how it waits, and what it says meanwhile."""

import random
import threading
from collections.abc import Callable
from typing import Final, TypeVar

import psycopg
import structlog
from confluent_kafka import KafkaError, KafkaException

from adapters.dead_letters import DeadLetterNotWritten
from adapters.subject_keys import KeyTrouble
from adapters.telemetry import Loop
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


class Patience:
    """Tries things again through outages, and says meanwhile why the process is not ready."""

    def __init__(
        self,
        *,
        metrics: ProjectorMetrics,
        stop: threading.Event,
        loop: Loop,
    ) -> None:
        self.condition = loop.condition
        self.stop = stop
        self._loop = loop
        self._turning: Callable[[], None] = lambda: None
        self._metrics = metrics

    def turning(self, look: Callable[[], None]) -> None:
        """Calls this, too, whenever the loop turns, waiting or not."""
        self._turning = look

    def beat(self) -> None:
        """The loop turns."""
        self._loop.beat()
        self._turning()

    def pause(self, seconds: float) -> None:
        """Waits a while and beats; raises Stopping."""
        self.beat()
        if self.stop.wait(seconds):
            raise Stopping

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

"""Says every other second how the loops of this process are, also while one of them is stuck."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import psycopg
import structlog
from psycopg.types.json import Jsonb

from adapters.settings import Settings
from adapters.telemetry.condition import Condition
from projections.aside_limit import AsideLimit
from projections.behind import Behind
from projections.database import Database
from projections.statements import statements

_SQL: Final = "reports/queries.sql"
_SAY_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A loop as others see it; everything here may be asked from any thread."""

    topic: str
    condition: Condition
    behind: Behind
    limit: AsideLimit
    partitions: Callable[[], Sequence[int]]


class Reporter:
    """The thread that speaks for the loops, over a connection of its own, until it is closed."""

    def __init__(
        self,
        settings: Settings,
        loops: Sequence[tuple[Spoken, Callable[[], float]]],
        *,
        member: str | None,
    ) -> None:
        """Each loop with what tells for how many seconds it has been silent."""
        self._database = Database(settings, "projector-reports")
        self._loops = loops
        self._member = member or f"projector-{uuid4()}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Says no more, and takes back what was said: who ends in order is not missed."""
        self._stop.set()
        self._thread.join(timeout=10)
        try:
            self._database.connection().execute(statements(_SQL)["leave"], {"member": self._member})
        except psycopg.Error as error:
            _log.debug("report.left", error=type(error).__name__)
        self._database.drop()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                for spoken, silent in self._loops:
                    say(self._database.connection(), spoken, silent(), member=self._member)
            except psycopg.Error as error:
                # Nobody waits for it, and the loops themselves tell of the outage.
                self._database.drop()
                _log.debug("report.unsaid", error=type(error).__name__)
            self._stop.wait(_SAY_SECONDS)


def say(conn: psycopg.Connection[Any], spoken: Spoken, silent: float, *, member: str) -> None:
    """Notes how the loop is now; raises psycopg.Error."""
    troubles, last = spoken.condition.troubles(), spoken.condition.last_error()
    named: dict[str, Any] = {
        "topic": spoken.topic,
        "member": member,
        "silent": silent,
        "held_since": spoken.limit.held_since,
        "trouble": "; ".join(dict.fromkeys(each.error or each.reason for each in troubles)) or None,
        "trouble_since": min((each.since for each in troubles), default=None),
        "last_error": last and last.error,
        "last_error_at": last and last.since,
        "oldest": Jsonb(spoken.behind.oldest()),
        "partitions": list(spoken.partitions()),
    }
    conn.execute(statements(_SQL)["say"], named)
    conn.execute(statements(_SQL)["forget"], {"topic": spoken.topic})

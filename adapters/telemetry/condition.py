"""What keeps a program and each of its loops from going on, and since when."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is or was wrong, and since when; `error` is its class and code, without any further words."""

    what: str
    reason: str
    error: str | None
    since: datetime

    @property
    def code(self) -> str:
        """What may be shown to anybody: class and code of a fault, or else the word for what is wrong."""
        return self.error or self.what


class Condition:
    """What is wrong with a process, by what it is. Safe to use from any thread.

    A trouble begins when it is first told of and lasts until it is `well`, however often it is told of.
    """

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
            self._troubles[self._part, what] = Trouble(what=what, reason=reason, error=error, since=since)
            if error is not None:
                self._errors[self._part] = Trouble(what=what, reason=reason, error=error, since=now)

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

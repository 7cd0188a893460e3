"""What the worker answers to the probes: whether it is ready, and what else is of interest."""

import threading
from collections.abc import Callable, Mapping

Check = Callable[[], str | None]
"""None when all is well, else the reason in words; called from any thread."""


class Health:
    """One process's health: a stage it is in until it is up, and checks from then on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stage: str | None = "starting"
        self._checks: list[Check] = []
        self._details: dict[str, Callable[[], object]] = {}

    def stage(self, reason: str | None) -> None:
        """What the process is waiting for, or None when it is up."""
        with self._lock:
            self._stage = reason

    def check(self, check: Check) -> None:
        """Asks this too, whenever somebody wants to know whether we are ready."""
        with self._lock:
            self._checks.append(check)

    def detail(self, name: str, value: Callable[[], object]) -> None:
        """Shows this beside the answers."""
        with self._lock:
            self._details[name] = value

    def ready(self) -> str | None:
        """Why the process is not ready, if it is not."""
        with self._lock:
            stage, checks = self._stage, list(self._checks)
        if stage is not None:
            return stage
        return next((reason for check in checks if (reason := check()) is not None), None)

    def details(self) -> Mapping[str, object]:
        """What is shown beside the answers."""
        with self._lock:
            details = dict(self._details)
        return {name: value() for name, value in details.items()}

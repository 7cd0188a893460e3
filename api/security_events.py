"""What whoever watches over security wants to hear of: one structured line and one count for each."""

from typing import Final

import structlog

from adapters.telemetry.labels import SecurityEvent
from api.parts import Parts

_GOOD: Final[frozenset[SecurityEvent]] = frozenset(
    {"login_succeeded", "account_registered", "session_revoked", "api_key_revoked"}
)

log = structlog.get_logger("api.security")


def say(parts: Parts, event: SecurityEvent, **said: str | int | None) -> None:
    """Writes the line and counts it. `said` are ids and codes, never an address, a name or a credential.

    The request's id, its network's pseudonym and the caller, where one was believed, are bound already.
    """
    parts.metrics.security.events.of(event).inc()
    write = log.info if event in _GOOD else log.warning
    write(event, security=True, **{name: value for name, value in said.items() if value is not None})

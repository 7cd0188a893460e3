"""A dead letter: a record that no one could work on, its bytes as they were, with who gave it up and why.

The bytes go under the record's own key into the dead-letter topic; provenance travels in text headers `dl-…`,
beside those headers of the original that are text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from schemas.envelope import RawRecord, read_headers

_LONGEST_HEADER: Final = 1024
_MOST_HEADERS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a record was given up, and by whom.

    `component` is the program's part (variants, projector …); `code` and `error_kind` come from the catalogue
    of codes; `attempts` were made from `first_failed_at` to `last_failed_at` (none: at that same moment);
    `stack_hash` tells one bug from another; `encoder` is what the component renders with, if it does.
    """

    component: str
    code: str
    error_kind: str
    first_failed_at: datetime
    last_failed_at: datetime | None = None
    attempts: int = 1
    stack_hash: str | None = None
    encoder: str | None = None


class DeadLetterNotWritten(Exception):
    """The dead letter was not acknowledged: the record must not be passed over."""


class DeadLetters(Protocol):
    """Where records go that no one could work on."""

    async def append(self, record: RawRecord, reason: Reason) -> None:
        """Writes the dead letter and waits for the acknowledgement; raises DeadLetterNotWritten."""
        ...

    def append_sync(self, record: RawRecord, reason: Reason) -> None:
        """The same for programs without an event loop."""
        ...

    def close(self) -> None:
        """Lets go of all resources."""
        ...


def dead_letter_headers(record: RawRecord, reason: Reason) -> list[tuple[str, bytes]]:
    """The headers of a dead letter: provenance first, then the original's text headers, within bounds."""
    said: dict[str, str] = {
        "dl-component": reason.component,
        "dl-code": reason.code,
        "dl-error-kind": reason.error_kind,
        "dl-topic": record.topic,
        "dl-partition": str(record.partition),
        "dl-offset": str(record.offset),
        "dl-timestamp": str(record.timestamp_ms),
        "dl-attempts": str(reason.attempts),
        "dl-first-failed-at": reason.first_failed_at.isoformat(),
        "dl-last-failed-at": (reason.last_failed_at or reason.first_failed_at).isoformat(),
        # A null and an empty value look alike in most tools.
        "dl-value": "null" if record.value is None else f"{len(record.value)} bytes",
    }
    if reason.stack_hash is not None:
        said["dl-stack-hash"] = reason.stack_hash
    if reason.encoder is not None:
        said["dl-encoder"] = reason.encoder
    return _encoded(said) + _encoded(_originals(record.headers, said))


def _originals(headers: Sequence[tuple[str, bytes]], taken: dict[str, str]) -> dict[str, str]:
    kept = {
        name: text
        for name, text in read_headers(headers).items()
        if name not in taken and len(name) <= _LONGEST_HEADER and len(text) <= _LONGEST_HEADER
    }
    return dict(list(kept.items())[:_MOST_HEADERS])


def _encoded(headers: dict[str, str]) -> list[tuple[str, bytes]]:
    return [(name, text.encode()) for name, text in headers.items()]

"""W3C trace context: which request a thing belongs to, carried in HTTP and Kafka headers alike."""

import re
import secrets
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LONGEST: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A span of a trace: 32 and 16 hexadecimal digits."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """As the `traceparent` header has it."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> "Trace":
        """A new span of the same trace."""
        return Trace(trace_id=self.trace_id, span_id=secrets.token_hex(8), sampled=self.sampled)


def new_trace() -> Trace:
    """The first span of a new trace."""
    return Trace(trace_id=secrets.token_hex(16), span_id=secrets.token_hex(8))


def parse_traceparent(text: str | None) -> Trace | None:
    """The span that a header names, or None for anything that the standard says to ignore."""
    match = _FORM.fullmatch(text) if text is not None and len(text) <= _LONGEST else None
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not (int(trace_id, 16) and int(span_id, 16)):
        return None
    return Trace(trace_id=trace_id, span_id=span_id, sampled=bool(int(flags, 16) & 1))


def continued(text: str | None) -> Trace:
    """A span below the one that the header names, or the first of a new trace."""
    parent = parse_traceparent(text)
    return parent.child() if parent is not None else new_trace()

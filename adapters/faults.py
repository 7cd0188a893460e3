"""What is told of a bug: its kind and the places it came through, never its words, which may quote a row."""

import hashlib
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOST_PLACES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An unexpected error: its class, the database's code for it, and file:function:line of its frames."""

    error: str
    sqlstate: str | None
    places: tuple[str, ...]

    @property
    def stack_hash(self) -> str:
        """Tells one bug from another."""
        return hashlib.sha256("\n".join([self.error, *self.places]).encode()).hexdigest()[:16]


def fault_of(error: Exception) -> Fault:
    """What may be told of the error."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_PLACES:]
    return Fault(
        error=type(error).__qualname__,
        sqlstate=getattr(error, "sqlstate", None),
        places=tuple(f"{Path(frame.filename).name}:{frame.name}:{frame.lineno}" for frame in frames),
    )

"""What a violation is, and the words in which one is told."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The promises that a run can break, one word each."""

    LOST = "lost"
    FOREIGN = "foreign"
    DOUBLED = "doubled"
    STUCK = "stuck"
    FAILED = "failed"
    ORDER = "order"
    ATTEMPTS = "attempts"
    ROWS = "rows"
    OBJECTS = "objects"
    LETTERS = "letters"


class Violation(NamedTuple):
    """A promise that was broken, about which asset or place, and how."""

    kind: Kind
    about: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind:8} {self.about}  {self.what}"

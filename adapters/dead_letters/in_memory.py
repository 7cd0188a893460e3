"""Dead letters in a list, for tests."""

from dataclasses import dataclass, field

from adapters.dead_letters.protocol import DeadLetterNotWritten, Reason, dead_letter_headers
from schemas.envelope import RawRecord, read_headers


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that was given up, and why; `headers` are those that the letter carries."""

    record: RawRecord
    reason: Reason
    headers: dict[str, str]


@dataclass(slots=True)
class InMemoryDeadLetters:
    """Keeps every letter; `failing` makes appends fail until it is taken away."""

    letters: list[DeadLetter] = field(default_factory=list)
    failing: bool = False

    async def append(self, record: RawRecord, reason: Reason) -> None:
        """As the Protocol says."""
        self.append_sync(record, reason)

    def append_sync(self, record: RawRecord, reason: Reason) -> None:
        """As the Protocol says."""
        if self.failing:
            raise DeadLetterNotWritten("told to fail")
        headers = read_headers(dead_letter_headers(record, reason))
        self.letters.append(DeadLetter(record=record, reason=reason, headers=headers))

    def close(self) -> None:
        """Nothing to let go of."""

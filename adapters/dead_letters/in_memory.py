"""Dead letters in a list, for tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adapters.dead_letters.letters import Letter, LetterPage, Wanted, letter_of, place_of
from adapters.dead_letters.newest_first import Windows, newest_first
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

    def page(self, wanted: Wanted, *, limit: int, before: Mapping[int, int] | None = None) -> LetterPage:
        """As LetterBox says; all lie in partition 0."""
        end = len(self.letters) if before is None else before.get(0, 0)
        return newest_first(self._read, {0: (0, end)}, wanted, limit=limit)

    def letter(self, letter_id: str) -> Letter | None:
        """As LetterBox says."""
        place = place_of(letter_id)
        if place is None or place[0] or place[1] >= len(self.letters):
            return None
        return self._at(place[1])

    def _read(self, windows: Windows) -> dict[int, list[Letter]]:
        return {number: [self._at(at) for at in range(*window)] for number, window in windows.items()}

    def _at(self, offset: int) -> Letter:
        kept = self.letters[offset]
        headers = [(name, text.encode()) for name, text in kept.headers.items()]
        written_ms = round((kept.reason.last_failed_at or kept.reason.first_failed_at).timestamp() * 1000)
        record = replace(kept.record, partition=0, offset=offset, timestamp_ms=written_ms, headers=headers)
        return letter_of(record)

    def close(self) -> None:
        """Nothing to let go of."""

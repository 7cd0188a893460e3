"""A partition as a rebuild reads it, without a broker."""

from collections.abc import Sequence

from projections.records import Record


class Listed:
    """A partition of a PlainLog to be read on from `begin`; `stop_at` is where reading it fails."""

    def __init__(self, records: Sequence[Record], stop_at: int | None = None, begin: int = 0) -> None:
        self.position = begin
        self._records = records
        self._stop_at = stop_at

    def read(self, until: int, most: int) -> list[Record]:
        found = [r for r in self._records if self.position <= r.offset < until][: min(most, 7)]
        if self._stop_at is not None and self.position >= self._stop_at:
            raise ConnectionError
        if found:
            self.position = found[-1].offset + 1
        return found

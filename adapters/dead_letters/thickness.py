"""When dead letters come too thick: a dozen in a row is the fault of whoever sets aside, not of records."""

from collections import deque
from typing import Final

# So many one after the other; or so many of the last hundred that asked for anything.
LONGEST_RUN: Final = 25
MOST_OF_A_HUNDRED: Final = 50


class Thickness:
    """Counts what went well and what went to the dead letters. Not for use from several threads."""

    def __init__(self) -> None:
        self._recent: deque[bool] = deque(maxlen=100)
        self.run = 0

    @property
    def of_a_hundred(self) -> int:
        """How many of the last hundred went to the dead letters."""
        return sum(self._recent)

    def well(self, records: int = 1) -> None:
        """So many records, one after the other, were dealt with otherwise."""
        if records:
            self.run = 0
            self._recent.extend([False] * min(records, 100))

    def dead_letter(self) -> None:
        """A record went to the dead letters."""
        self.run += 1
        self._recent.append(True)

    def too_thick(self) -> bool:
        """Whether whoever sets aside should stop and be looked at."""
        return self.run >= LONGEST_RUN or self.of_a_hundred > MOST_OF_A_HUNDRED

    def anew(self) -> None:
        """Somebody has looked: counting begins again."""
        self.run = 0
        self._recent.clear()

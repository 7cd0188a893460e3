"""Keeps forms that stand beside the served ones behind them, and says nothing while it does."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final, Protocol

from psycopg import Connection

from adapters.dead_letters import Reason
from projections import checkpoints
from projections.checkpoints import Loop
from projections.records import Read
from schemas.envelope import RawRecord

# So often it is looked whether the served forms have gone on, so many times before the records are let go.
_LOOK_SECONDS: Final = 0.02
_LOOKS: Final = 50


class Ahead(Exception):
    """The next records are not in the served forms yet."""


class FailsBeside(Exception):
    """A record that is in the served forms can't be folded into those beside them; it is named."""


class Applies(Protocol):
    """Whatever applies batches, as Batches does."""

    def apply(self, batch: Sequence[Read[Any]], positions: MutableMapping[int, int]) -> None:
        """As Batches says."""
        ...


def to_follow(conn: Connection[Any], loop: Loop) -> dict[int, int]:
    """How far the served forms have come in each partition that nobody fills; `conn` is in no transaction."""
    at = checkpoints.served(conn, loop.topic)
    return {number: at[number] for number in at.keys() - checkpoints.being_filled(conn, loop, list(at))}


class Following:
    """Applies what the served forms have, so that a switch finds nothing to take back."""

    def __init__(
        self,
        batches: Applies,
        *,
        served: Callable[[], Mapping[int, int]],
        pause: Callable[[float], object],
    ) -> None:
        """`served` gives the next offset of each partition in the served forms."""
        self._batches = batches
        self._served = served
        self._pause = pause

    def apply(self, batch: Sequence[Read[Any]], positions: MutableMapping[int, int]) -> None:
        """As Batches; raises Ahead where the served forms do not take the rest of it for a while."""
        left = batch
        for _ in range(_LOOKS):
            at = self._served()
            due = [read for read in left if read.record.offset < at.get(read.record.partition, 0)]
            if due:
                self._batches.apply(due, positions)
                left = [read for read in left if read.record.offset >= positions[read.record.partition]]
            if not left:
                return
            self._pause(_LOOK_SECONDS)
        raise Ahead


class Silent:
    """The dead letters of a replay: each was written when the served forms met its record, or it is a bug."""

    async def append(self, record: RawRecord, reason: Reason) -> None:
        """Raises FailsBeside."""
        self.append_sync(record, reason)

    def append_sync(self, record: RawRecord, reason: Reason) -> None:
        """Raises FailsBeside."""
        raise FailsBeside(
            f"{record.topic}/{record.partition} at offset {record.offset}: {reason.code} "
            f"({reason.error_kind}, stack {reason.stack_hash}), though what is served has it; nothing of "
            "what is served has changed"
        )

    def close(self) -> None:
        """There is nothing to let go of."""

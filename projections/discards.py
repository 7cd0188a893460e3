"""Records that are to be left out for good, as the log itself says."""

from collections.abc import Sequence
from typing import Any, Final

from projections.records import Read
from projections.set_aside import COMPONENT, Discard
from schemas.envelope import key_of
from schemas.events import AccountRecordDiscarded, RecordDiscarded

_SAY_SO: Final = frozenset({RecordDiscarded, AccountRecordDiscarded})


def discards_in(batch: Sequence[Read[Any]], topic: str) -> list[Discard]:
    """What the events of a batch discard of this log: of their own key's, and of what stands before them.

    What others than projectors had given up is none of a fold's business.
    """
    found = []
    for record, event in batch:
        if type(event) not in _SAY_SO or not isinstance(event, RecordDiscarded | AccountRecordDiscarded):
            continue  # the first question is the quick one
        ours = event.component == COMPONENT and event.topic == topic
        before = event.partition == record.partition and event.offset < record.offset
        if ours and before and key_of(event) == record.key:
            found.append(Discard(partition=event.partition, offset=event.offset, said_at=record.offset))
    return found

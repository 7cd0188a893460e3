"""Who did what an event tells, in one word: the same in histories and in the audit."""

from typing import Final, Literal
from uuid import UUID

Actor = Literal["owner", "administrator", "worker", "system"]

_WORKERS: Final = frozenset({"ProcessingStarted", "VariantsReady", "ProcessingFailed"})
# Whatever happens for this reason is the housekeeping's word, though the event names the owner.
_TIME_WAS_OVER: Final = "expired"


def actor_of(event_type: str, code: str | None, actor_id: UUID | None, owner_id: UUID | None) -> Actor:
    """Who it was; `owner_id` is whose the account or asset is, None for nobody's."""
    if event_type in _WORKERS:
        return "worker"
    if actor_id is None or code == _TIME_WAS_OVER:
        return "system"
    return "owner" if actor_id == owner_id else "administrator"

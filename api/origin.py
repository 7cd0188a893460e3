"""Where an event comes from: the id of the request that causes it, and its place in a trace."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from adapters.clock import new_id
from schemas.envelope import Metadata

SOURCE: Final = "/api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One request."""

    request_id: UUID
    traceparent: str


current: Final[ContextVar[Origin | None]] = ContextVar("origin", default=None)


def metadata(*, causation_id: UUID | None = None) -> Metadata:
    """The metadata of an event that this request causes: its id correlates, its trace goes on."""
    origin = current.get()
    return Metadata(
        correlation_id=origin.request_id if origin is not None else new_id(),
        causation_id=causation_id,
        traceparent=origin.traceparent if origin is not None else None,
        source=SOURCE,
    )

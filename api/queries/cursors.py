"""Cursors of lists: signed, opaque, and good only for the owner and the filter that they were made for."""

from datetime import datetime
from typing import Final
from uuid import UUID

from api.problems import invalid
from api.tokens import InvalidToken, Signer

_PURPOSE: Final = "cursor"

Mark = tuple[datetime, UUID]
"""The last row already seen: its time and its id."""


def cursor_for(signer: Signer, mark: Mark, *, bound_to: str) -> str:
    """The cursor that goes on after this row."""
    return signer.sign(_PURPOSE, f"{mark[0].isoformat()} {mark[1]}".encode(), bound_to=bound_to)


def mark_of(signer: Signer, cursor: str, *, bound_to: str) -> Mark:
    """Where a cursor goes on; raises Invalid for one that is not ours, another's, or of another list."""
    try:
        moment, _, identifier = signer.open(_PURPOSE, cursor, bound_to=bound_to).decode().partition(" ")
        return datetime.fromisoformat(moment), UUID(identifier)
    except (InvalidToken, ValueError) as error:
        raise invalid("query.cursor", "is no cursor of this list") from error

"""Shared links: the token that opens one, and how one looks to whoever made it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from api.parts import Parts
from api.representations import Shape
from api.tokens import InvalidToken, Signer
from projections.links.queries import LinkRow

SHARED: Final = "/s/"
# Nobody shows one picture to more people by links of their own; each is a row and a line in its history.
MOST_LINKS: Final = 100
VARIANT_NAME: Final = "^[a-z][a-z0-9-]{0,31}$"
_PURPOSE: Final = "link"


class SharedLink(Shape):
    """A link by which whoever has it sees a picture."""

    id: UUID
    url: Annotated[
        str,
        Field(
            description="To be handed on; an address where `DARKROOM_URL` is set, otherwise a path.",
            examples=["https://photos.example.org/s/k1.9Zt4…"],
        ),
    ]
    variant: Annotated[
        str | None,
        Field(description="The one that it shows; null shows any but the original.", examples=["small"]),
    ]
    issued_at: datetime
    expires_at: Annotated[datetime | None, Field(description="null: until it is revoked.")]


class SharedLinks(Shape):
    """The links of an asset that were not revoked, newest first."""

    items: tuple[SharedLink, ...]


def link_shape(parts: Parts, row: LinkRow) -> SharedLink:
    """A link as its maker sees it."""
    path = SHARED + link_token(parts.signer, row.link_id)
    return SharedLink(
        id=row.link_id,
        url=(parts.settings.runtime.url or "") + path,
        variant=row.variant,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )


def link_token(signer: Signer, link_id: UUID) -> str:
    """What opens a link: its id, signed; a stranger can't make one up."""
    return signer.sign(_PURPOSE, link_id.bytes)


def link_id_of(signer: Signer, token: str) -> UUID | None:
    """Which link a token opens; None where it is none of ours."""
    try:
        payload = signer.open(_PURPOSE, token)
    except InvalidToken:
        return None
    return UUID(bytes=payload)

"""What was granted to whoever may upload; signed, it is the token, which holds all that completing needs."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from api.problems import NotFound
from api.tokens import InvalidToken, Signer
from schemas.events import UploadRequested
from schemas.positions import InvalidPosition, Position

_PURPOSE: Final = "upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class InParts:
    """How an upload is cut: the store's own id for it, and the bytes of every part but the last."""

    store_upload: str
    part_size: int

    def numbers(self, size: int) -> list[int]:
        """The numbers of all parts of so many bytes, from 1."""
        return list(range(1, -(-size // self.part_size) + 1))

    def size_of(self, number: int, size: int) -> int:
        """Bytes of one part; 0 where there is no such part."""
        return max(0, min(self.part_size, size - (number - 1) * self.part_size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One upload: `size` in bytes, `sha256` in hex where it is known, `requested_by` an event id.

    `in_parts` is there for those that come in parts, `position` where the request stands in the log.
    """

    upload_id: UUID
    asset_id: UUID
    owner_id: UUID
    object_key: str
    content_type: str
    size: int
    sha256: str | None
    requested_by: UUID
    expires_at: datetime
    in_parts: InParts | None = None
    position: Position | None = None

    @classmethod
    def of(
        cls,
        event: UploadRequested,
        *,
        size: int,
        sha256: str | None,
        in_parts: InParts | None = None,
        position: Position | None = None,
    ) -> "Grant":
        """What the event grants."""
        return cls(
            upload_id=event.upload_id,
            asset_id=event.asset_id,
            owner_id=event.owner_id,
            object_key=event.object_key,
            content_type=event.content_type,
            size=size,
            sha256=sha256.lower() if sha256 else None,
            requested_by=event.event_id,
            expires_at=event.expires_at,
            in_parts=in_parts,
            position=position,
        )

    def token(self, signer: Signer) -> str:
        """As it is handed out."""
        claims: dict[str, object] = {
            "u": str(self.upload_id),
            "a": str(self.asset_id),
            "o": str(self.owner_id),
            "k": self.object_key,
            "t": self.content_type,
            "s": self.size,
            "h": self.sha256,
            "e": str(self.requested_by),
            "x": int(self.expires_at.timestamp()),
        }
        if self.in_parts is not None:
            claims |= {"m": self.in_parts.store_upload, "p": self.in_parts.part_size}
        if self.position is not None:
            claims["q"] = self.position.token()
        return signer.sign(_PURPOSE, json.dumps(claims, separators=(",", ":")).encode())

    @classmethod
    def from_token(cls, signer: Signer, token: str) -> "Grant":
        """As it was; raises InvalidToken for whatever we did not sign."""
        payload = signer.open(_PURPOSE, token)
        try:
            claims = json.loads(payload)
            return cls(
                upload_id=UUID(claims["u"]),
                asset_id=UUID(claims["a"]),
                owner_id=UUID(claims["o"]),
                object_key=claims["k"],
                content_type=claims["t"],
                size=claims["s"],
                sha256=claims["h"],
                requested_by=UUID(claims["e"]),
                expires_at=datetime.fromtimestamp(claims["x"], UTC),
                in_parts=InParts(store_upload=claims["m"], part_size=claims["p"]) if "m" in claims else None,
                position=Position.from_token(claims["q"]) if "q" in claims else None,
            )
        except (KeyError, TypeError, ValueError, InvalidPosition) as error:
            raise InvalidToken from error  # signed by an older program of ours, in a shape long gone


def opened(signer: Signer, owner_id: UUID, token: str) -> Grant:
    """What the token grants this owner; raises NotFound for a stranger's token, or none of ours."""
    try:
        grant = Grant.from_token(signer, token)
    except InvalidToken as error:
        raise NotFound from error
    if grant.owner_id != owner_id:
        raise NotFound
    return grant

"""What was granted to whoever may upload; signed, it is the token, which holds all that completing needs."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from api.tokens import InvalidToken, Signer
from schemas.events import UploadRequested

_PURPOSE: Final = "upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One upload: `size` in bytes, `sha256` in hex where it is known, `requested_by` an event id."""

    upload_id: UUID
    asset_id: UUID
    owner_id: UUID
    object_key: str
    content_type: str
    size: int
    sha256: str | None
    requested_by: UUID
    expires_at: datetime

    @classmethod
    def of(cls, event: UploadRequested, *, size: int, sha256: str | None) -> "Grant":
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
        )

    def token(self, signer: Signer) -> str:
        """As it is handed out."""
        claims = {
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
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidToken from error  # signed by an older program of ours, in a shape long gone

"""Refresh tokens: a session and a generation of it, signed; all that is needed to go on, whatever is away."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from adapters.settings import NamedSecret
from api.tokens import InvalidToken, Signer
from schemas.identity import GENERATIONS

PREFIX: Final = "dr1."
MAX_LENGTH: Final = 512

_PURPOSE: Final = "refresh"
# session, user, account key, generation, partition and offset of the session's start, end in seconds
_LAYOUT: Final = struct.Struct(">16s16s32sIIQQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One generation of a session.

    `partition` and `offset` say where the session's start stands in the identity log: a read model that has
    passed it and knows no such session will never know it. `expires_at` is the session's end.
    """

    session_id: UUID
    user_id: UUID
    account_key: str
    generation: int
    partition: int
    offset: int
    expires_at: datetime

    def successor(self) -> "RefreshToken":
        """The next generation; raises InvalidToken where there is none."""
        if self.generation + 1 >= GENERATIONS:
            raise InvalidToken
        return replace(self, generation=self.generation + 1)


class RefreshTokens:
    """Writes and reads them; all doors write the same text for the same token."""

    def __init__(self, secrets: Sequence[NamedSecret]) -> None:
        """The first secret signs, all are believed; raises ValueError without any."""
        self._signer = Signer(secrets)

    def write(self, token: RefreshToken) -> str:
        """As it is handed out."""
        payload = _LAYOUT.pack(
            token.session_id.bytes,
            token.user_id.bytes,
            bytes.fromhex(token.account_key),
            token.generation,
            token.partition,
            token.offset,
            int(token.expires_at.timestamp()),
        )
        return PREFIX + self._signer.sign(_PURPOSE, payload)

    def read(self, text: str) -> RefreshToken:
        """As it was; raises InvalidToken for whatever we did not write. Its end may have passed."""
        if len(text) > MAX_LENGTH or not text.startswith(PREFIX):
            raise InvalidToken
        payload = self._signer.open(_PURPOSE, text.removeprefix(PREFIX))
        try:
            session, user, account, generation, partition, offset, ends = _LAYOUT.unpack(payload)
        except struct.error as error:
            raise InvalidToken from error
        return RefreshToken(
            session_id=UUID(bytes=session),
            user_id=UUID(bytes=user),
            account_key=account.hex(),
            generation=generation,
            partition=partition,
            offset=offset,
            expires_at=datetime.fromtimestamp(ends, UTC),
        )

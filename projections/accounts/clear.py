"""What the sealed fields of accounts say in the clear."""

from typing import Literal
from uuid import UUID

from adapters.sealing import Seals, open_text
from schemas.events import ApiKeyIssued, IdentityEvent, PasswordChanged, UserRegistered

Field = Literal["sealed_address", "sealed_password_hash", "sealed_name"]


class ClearAccounts:
    """Opens sealed fields, each once: what a batch has opened is kept until `forget`."""

    def __init__(self, keys: Seals) -> None:
        self._keys = keys
        self._texts: dict[tuple[UUID, Field, bytes], str | None] = {}

    def check(self, event: IdentityEvent) -> None:
        """Opens what the event carries for the rows; raises SealBroken, UnknownKey."""
        match event:
            case UserRegistered():
                self.text(event.user_id, "sealed_address", event.sealed_address)
                self.text(event.user_id, "sealed_password_hash", event.sealed_password_hash)
            case PasswordChanged():
                self.text(event.user_id, "sealed_password_hash", event.sealed_password_hash)
            case ApiKeyIssued():
                self.text(event.user_id, "sealed_name", event.sealed_name)
            case _:
                pass

    def text(self, user_id: UUID, field: Field, sealed: bytes) -> str | None:
        """The text, None once the person's key is erased."""
        place = (user_id, field, sealed)
        if place not in self._texts:
            self._texts[place] = open_text(self._keys, user_id=user_id, field=field, sealed=sealed)
        return self._texts[place]

    def forget(self) -> None:
        """Lets go of all clear text."""
        self._texts.clear()

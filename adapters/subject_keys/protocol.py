"""What people's data keys are to the rest of the program.

KeyTrouble
├── UnknownKey    a key id that the whole topic does not know: an outage, never an answer
└── KeyErased     something was to be sealed under a key that is erased
"""

from typing import Protocol
from uuid import UUID


class KeyTrouble(Exception):
    """A data key that can't be used."""


class UnknownKey(KeyTrouble):
    """No record of this key, though the topic was read to its end; an outage, to be tried again."""


class KeyErased(KeyTrouble):
    """The key is erased for ever; nothing can be sealed with it."""


class SubjectKeys(Protocol):
    """Seals and opens what is personal. Safe to use from any thread; `adapters.sealing` says the format."""

    def start(self) -> None:
        """Begins to follow the key topic."""
        ...

    def close(self) -> None:
        """Stops following, and lets go of all resources."""
        ...

    def wait_until_current(self, timeout: float) -> bool:
        """Waits at most `timeout` seconds until all that the topic holds now is known; whether it is."""
        ...

    async def data_key(self, user_id: UUID) -> UUID:
        """The id of a key to seal this person's data with: of several living ones the smallest.

        Where there is none one is made, and its record acknowledged first. For the doors alone. Raises
        what an append raises.
        """
        ...

    def seal(self, user_id: UUID, key_id: UUID, field: str, clear: bytes) -> bytes:
        """Seals the clear bytes for this person and field; raises UnknownKey, KeyErased."""
        ...

    def open(self, user_id: UUID, field: str, sealed: bytes) -> bytes | None:
        """The clear bytes; None where the key is erased. Raises UnknownKey, SealBroken."""
        ...

    def mac(self, user_id: UUID, key_id: UUID, data: bytes) -> bytes:
        """A keyed hash of the data that names its key (48 bytes); raises UnknownKey, KeyErased."""
        ...

    def mac_matches(self, user_id: UUID, mac: bytes, data: bytes) -> bool:
        """Whether `mac` is this person's hash of these bytes, compared in constant time.

        Never where its key is erased. Raises UnknownKey, and SealBroken for what is no such hash.
        """
        ...

"""People's data keys in memory, for tests."""

import hmac
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from adapters import sealing
from adapters.subject_keys.protocol import KeyErased, UnknownKey


@dataclass(slots=True)
class InMemorySubjectKeys:
    """Keys in a dict, None where erased. `current` false plays a view that has not caught up."""

    current: bool = True
    _keys: dict[tuple[UUID, UUID], bytes | None] = field(default_factory=dict)

    def start(self) -> None:
        """Nothing to follow."""

    def close(self) -> None:
        """Nothing to let go of."""

    def wait_until_current(self, timeout: float) -> bool:
        """As told by `current`."""
        del timeout
        return self.current

    async def data_key(self, user_id: UUID) -> UUID:
        """As the Protocol says."""
        living = [key_id for (owner, key_id), key in self._keys.items() if owner == user_id and key]
        if living:
            return min(living)
        key_id = uuid4()
        self._keys[user_id, key_id] = sealing.new_data_key()
        return key_id

    def seal(self, user_id: UUID, key_id: UUID, field: str, clear: bytes) -> bytes:
        """As the Protocol says."""
        return sealing.seal(
            self._living(user_id, key_id), user_id=user_id, key_id=key_id, field=field, clear=clear
        )

    def open(self, user_id: UUID, field: str, sealed: bytes) -> bytes | None:
        """As the Protocol says."""
        key = self._key(user_id, sealing.key_id_of(sealed))
        return None if key is None else sealing.unseal(key, user_id=user_id, field=field, sealed=sealed)

    def mac(self, user_id: UUID, key_id: UUID, data: bytes) -> bytes:
        """As the Protocol says."""
        return sealing.mac(self._living(user_id, key_id), key_id=key_id, clear=data)

    def mac_matches(self, user_id: UUID, mac: bytes, data: bytes) -> bool:
        """As the Protocol says."""
        key_id = sealing.key_id_of_mac(mac)
        key = self._key(user_id, key_id)
        return key is not None and hmac.compare_digest(sealing.mac(key, key_id=key_id, clear=data), mac)

    def erase(self, user_id: UUID) -> None:
        """What a marker for each of this person's keys does."""
        for owner, key_id in list(self._keys):
            if owner == user_id:
                self._keys[owner, key_id] = None

    def forget(self, user_id: UUID) -> None:
        """What a view that lacks this person's keys looks like."""
        for owner, key_id in list(self._keys):
            if owner == user_id:
                del self._keys[owner, key_id]

    def _key(self, user_id: UUID, key_id: UUID) -> bytes | None:
        if (user_id, key_id) not in self._keys:
            raise UnknownKey(f"data key {key_id}")
        return self._keys[user_id, key_id]

    def _living(self, user_id: UUID, key_id: UUID) -> bytes:
        key = self._key(user_id, key_id)
        if key is None:
            raise KeyErased(f"data key {key_id}")
        return key

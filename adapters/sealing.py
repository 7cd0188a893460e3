"""Hiding what is personal: AES-256-GCM under a person's data key, and data keys wrapped by a master key.

A sealed value is version (1 byte) ‖ key id (16) ‖ nonce (12) ‖ ciphertext with its tag (16 more than the
clear text). The person and the field's name are authenticated with it, so that none can stand in for another.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.settings.secrets import MasterKey

KEY_BYTES: Final = 32
_VERSION: Final = 1
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = 1 + 16
_BODY_FROM: Final = _HEAD_BYTES + _NONCE_BYTES
_TAG_BYTES: Final = 16
_MAC_BYTES: Final = 16 + 32
_DECODER: Final = json.JSONDecoder()


class Seals(Protocol):
    """Whoever can seal and open under people's keys (adapters.subject_keys)."""

    def seal(self, user_id: UUID, key_id: UUID, field: str, clear: bytes) -> bytes:
        """Seals the clear bytes."""
        ...

    def open(self, user_id: UUID, field: str, sealed: bytes) -> bytes | None:
        """Opens what was sealed; None means erased."""
        ...


class SealBroken(Exception):
    """A sealed value that its own key does not open: it was altered, or stands where it doesn't belong."""


def new_data_key() -> bytes:
    """A fresh data key of 32 random bytes."""
    return os.urandom(KEY_BYTES)


def seal(data_key: bytes, *, user_id: UUID, key_id: UUID, field: str, clear: bytes) -> bytes:
    """Seals the clear bytes for this person and field; no two results are alike."""
    nonce = os.urandom(_NONCE_BYTES)
    hidden = AESGCM(data_key).encrypt(nonce, clear, bound_to(user_id, field))
    return bytes((_VERSION,)) + key_id.bytes + nonce + hidden


def key_id_of(sealed: bytes) -> UUID:
    """Which data key a value was sealed with; raises SealBroken where it is no sealed value."""
    return UUID(bytes=key_part(sealed))


def cipher_of(data_key: bytes) -> AESGCM:
    """What `unseal_with` opens with; it must not outlive the key."""
    return AESGCM(data_key)


def key_part(sealed: bytes) -> bytes:
    """The bytes of the id of its data key; raises SealBroken where it is no sealed value."""
    if len(sealed) < _BODY_FROM + _TAG_BYTES or sealed[0] != _VERSION:
        raise SealBroken("not a sealed value of a version that is known here")
    return bytes(sealed[1:_HEAD_BYTES])


def unseal(data_key: bytes, *, user_id: UUID, field: str, sealed: bytes) -> bytes:
    """The clear bytes; raises SealBroken."""
    key_part(sealed)
    return unseal_with(cipher_of(data_key), bound_to(user_id, field), field, sealed)


def unseal_with(cipher: AESGCM, bound: bytes, field: str, sealed: bytes) -> bytes:
    """As `unseal`, for what `key_part` has found to be a sealed value.

    `cipher` is `cipher_of` the data key, `bound` is `bound_to` its person and the field.
    """
    try:
        return cipher.decrypt(sealed[_HEAD_BYTES:_BODY_FROM], sealed[_BODY_FROM:], bound)
    except InvalidTag as error:
        raise SealBroken(f"the tag of {field} does not fit") from error


def wrap(master: MasterKey, data_key: bytes, *, user_id: UUID, key_id: UUID) -> bytes:
    """A data key under a master key: nonce ‖ ciphertext, bound to its person and its id."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(master.key).encrypt(nonce, data_key, bound_to(user_id, str(key_id)))


def unwrap(master: MasterKey, wrapped: bytes, *, user_id: UUID, key_id: UUID) -> bytes:
    """The inverse of `wrap`; raises SealBroken."""
    try:
        nonce, hidden = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        return AESGCM(master.key).decrypt(nonce, hidden, bound_to(user_id, str(key_id)))
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"data key {key_id} does not open under master key {master.key_id}") from error


def mac(data_key: bytes, *, key_id: UUID, clear: bytes) -> bytes:
    """A keyed hash that only this person's key can repeat: key id (16) ‖ HMAC-SHA256 (32)."""
    own = hmac.digest(data_key, b"darkroom/mac", hashlib.sha256)  # one key, one use
    return key_id.bytes + hmac.digest(own, clear, hashlib.sha256)


def key_id_of_mac(mac: bytes) -> UUID:
    """Which data key a keyed hash was made with; raises SealBroken where it is none."""
    if len(mac) != _MAC_BYTES:
        raise SealBroken("not a keyed hash")
    return UUID(bytes=mac[:16])


def seal_json(keys: Seals, *, user_id: UUID, key_id: UUID, field: str, value: Mapping[str, object]) -> bytes:
    """Seals a JSON object, written compactly; raises what `keys.seal` raises."""
    clear = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return keys.seal(user_id, key_id, field, clear)


def open_json(keys: Seals, *, user_id: UUID, field: str, sealed: bytes) -> dict[str, object] | None:
    """The inverse of `seal_json`; None means erased. Raises what `keys.open` raises."""
    clear = keys.open(user_id, field, sealed)
    if clear is None:
        return None
    try:
        value = _parsed(clear.decode())
    except ValueError as error:
        raise SealBroken(f"what was sealed as {field} is no JSON") from error
    if not isinstance(value, dict):
        raise SealBroken(f"what was sealed as {field} is no JSON object")
    return value


def _parsed(text: str) -> object:
    """As `json.loads`, by a shorter way; what begins with a space was not written by us."""
    value, end = _DECODER.raw_decode(text)
    return value if end == len(text) else json.loads(text)


def seal_text(keys: Seals, *, user_id: UUID, key_id: UUID, field: str, text: str) -> bytes:
    """Seals a text; raises what `keys.seal` raises, and ValueError for what no database column holds."""
    if "\0" in text:
        raise ValueError(f"{field} holds a NUL")
    return keys.seal(user_id, key_id, field, text.encode())


def open_text(keys: Seals, *, user_id: UUID, field: str, sealed: bytes) -> str | None:
    """The inverse of `seal_text`; None means erased. Raises what `keys.open` raises."""
    clear = keys.open(user_id, field, sealed)
    if clear is None:
        return None
    try:
        text = clear.decode()
    except UnicodeDecodeError as error:
        raise SealBroken(f"what was sealed as {field} is no text") from error
    if "\0" in text:
        raise SealBroken(f"what was sealed as {field} holds a NUL")
    return text


def bound_to(user_id: UUID, what: str) -> bytes:
    """What is authenticated with a value: whose it is, and as what."""
    return user_id.bytes + what.encode()

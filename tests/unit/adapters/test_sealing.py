"""Sealing: what is hidden, what it is bound to, and that the format stays."""

import hashlib
import hmac
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sealing import (
    SealBroken,
    key_id_of,
    key_id_of_mac,
    mac,
    new_data_key,
    open_text,
    seal,
    seal_text,
    unseal,
    unwrap,
    wrap,
)
from adapters.settings import MasterKey
from adapters.subject_keys import InMemorySubjectKeys

USER, KEY_ID = UUID(int=1), UUID(int=2)
SEALED_V1 = (
    "01000000000000000000000000000000025fb1cb161fdd243ff4d0b13e14fa4e317a0b89be2c4a842fad2e8665969112d26d77"
)
WRAPPED_V1 = (
    "addee1089ca37edb6cb055f697486d766de2336aa69f3cf5b76f57c983abae8e250a2c1aa2c4d0c7"
    "dfebbc27153e1d9466bc2f41e4593128e893984a"
)
MAC_V1 = "000000000000000000000000000000021e15c110c98d6144e653a5409e47b6cb9c4e168276fd92a1f336edc8d3b5a777"
MASTER = MasterKey(key_id="m", key=bytes(range(32)))


@given(st.binary(max_size=2000), st.text(min_size=1, max_size=30))
def test_what_is_sealed_opens_to_what_it_was(clear: bytes, field: str) -> None:
    key = new_data_key()
    sealed = seal(key, user_id=USER, key_id=KEY_ID, field=field, clear=clear)
    assert unseal(key, user_id=USER, field=field, sealed=sealed) == clear
    assert key_id_of(sealed) == KEY_ID
    assert len(sealed) == 1 + 16 + 12 + len(clear) + 16


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_any_altered_byte_breaks_the_seal(place: int, change: int) -> None:
    key = new_data_key()
    sealed = bytearray(seal(key, user_id=USER, key_id=KEY_ID, field="f", clear=b"clear text"))
    at = place % len(sealed)
    sealed[at] ^= change
    if 1 <= at < 17:  # the key id: another key would be looked for
        assert key_id_of(bytes(sealed)) != KEY_ID
    else:
        with pytest.raises(SealBroken):
            unseal(key, user_id=USER, field="f", sealed=bytes(sealed))


def test_a_seal_is_bound_to_person_field_and_key() -> None:
    key = new_data_key()
    sealed = seal(key, user_id=USER, key_id=KEY_ID, field="f", clear=b"x")
    for data_key, user_id, field in ((key, uuid4(), "f"), (key, USER, "g"), (new_data_key(), USER, "f")):
        with pytest.raises(SealBroken):
            unseal(data_key, user_id=user_id, field=field, sealed=sealed)


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x02" + bytes(60), b"\x01" + bytes(43)])
def test_what_is_no_sealed_value_is_told(value: bytes) -> None:
    with pytest.raises(SealBroken):
        key_id_of(value)


def test_values_sealed_by_the_first_version_open_for_ever() -> None:
    sealed = bytes.fromhex(SEALED_V1)
    assert unseal(bytes(range(32)), user_id=USER, field="sealed_words", sealed=sealed) == b"golden"
    assert unwrap(MASTER, bytes.fromhex(WRAPPED_V1), user_id=USER, key_id=KEY_ID) == bytes(range(32))
    assert mac(bytes(range(32)), key_id=KEY_ID, clear=b"golden").hex() == MAC_V1


def test_a_wrapped_key_is_bound_to_its_person_its_id_and_its_master() -> None:
    key = new_data_key()
    wrapped = wrap(MASTER, key, user_id=USER, key_id=KEY_ID)
    assert unwrap(MASTER, wrapped, user_id=USER, key_id=KEY_ID) == key
    assert key not in wrapped
    other = MasterKey(key_id="m", key=bytes(32))
    for master, user_id, key_id in ((other, USER, KEY_ID), (MASTER, KEY_ID, KEY_ID), (MASTER, USER, USER)):
        with pytest.raises(SealBroken):
            unwrap(master, wrapped, user_id=user_id, key_id=key_id)
    for broken in (b"", wrapped[:11], wrapped[:-1]):
        with pytest.raises(SealBroken):
            unwrap(MASTER, broken, user_id=USER, key_id=KEY_ID)


def test_a_keyed_hash_names_its_key_and_is_not_made_with_the_key_itself() -> None:
    key = new_data_key()
    made = mac(key, key_id=KEY_ID, clear=b"x")
    assert key_id_of_mac(made) == KEY_ID
    assert made[16:] != hmac.digest(key, b"x", hashlib.sha256)
    with pytest.raises(SealBroken):
        key_id_of_mac(made + b"x")


@pytest.mark.parametrize("text", ["", "ada@example.org", "Ünïcode ✓ 🎈"])
async def test_a_sealed_text_opens_to_what_it_was_until_its_key_is_erased(text: str) -> None:
    keys = InMemorySubjectKeys()
    key_id = await keys.data_key(USER)
    sealed = seal_text(keys, user_id=USER, key_id=key_id, field="sealed_address", text=text)
    assert open_text(keys, user_id=USER, field="sealed_address", sealed=sealed) == text
    with pytest.raises(SealBroken):
        open_text(keys, user_id=USER, field="sealed_name", sealed=sealed)
    keys.erase(USER)
    assert open_text(keys, user_id=USER, field="sealed_address", sealed=sealed) is None


@pytest.mark.parametrize("clear", [b"\xff", b"a\0b"])
async def test_a_sealed_text_that_is_none_is_told(clear: bytes) -> None:
    keys = InMemorySubjectKeys()
    key_id = await keys.data_key(USER)
    with pytest.raises(SealBroken):
        open_text(keys, user_id=USER, field="f", sealed=keys.seal(USER, key_id, "f", clear))
    with pytest.raises(ValueError, match="NUL"):
        seal_text(keys, user_id=USER, key_id=key_id, field="f", text="a\0b")

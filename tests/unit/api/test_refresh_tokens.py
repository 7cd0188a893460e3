"""Refresh tokens: the same text from every door, nobody else's, and an end to their generations."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from adapters.settings import NamedSecret
from api.credentials.key_texts import key_from, read_key
from api.credentials.refresh_tokens import MAX_LENGTH, RefreshToken, RefreshTokens
from api.tokens import InvalidToken, Signer
from schemas.identity import GENERATIONS

NEW = NamedSecret(kid="r2", secret=b"n" * 32)
OLD = NamedSecret(kid="r1", secret=b"o" * 32)
TOKEN = RefreshToken(
    session_id=UUID(int=1),
    user_id=UUID(int=2),
    account_key="ab" * 32,
    generation=7,
    partition=3,
    offset=1 << 40,
    expires_at=datetime(2026, 5, 24, tzinfo=UTC),
)


def test_a_token_says_what_it_was_made_of_and_every_door_writes_the_same() -> None:
    text = RefreshTokens([NEW]).write(TOKEN)
    assert RefreshTokens([NEW, OLD]).write(TOKEN) == text
    assert RefreshTokens([OLD, NEW]).read(text) == TOKEN
    assert text.startswith("dr1.r2.")
    assert len(text) < MAX_LENGTH


def test_the_successor_is_the_next_generation_of_the_same_session() -> None:
    assert TOKEN.successor() == replace(TOKEN, generation=8)
    with pytest.raises(InvalidToken):
        replace(TOKEN, generation=GENERATIONS - 1).successor()


def test_a_secret_that_was_taken_out_signs_nothing_any_more() -> None:
    with pytest.raises(InvalidToken):
        RefreshTokens([NEW]).read(RefreshTokens([OLD]).write(TOKEN))


def test_no_other_text_is_a_token() -> None:
    tokens = RefreshTokens([NEW])
    text = tokens.write(TOKEN)
    bent = [
        text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :] for index in range(len(text))
    ]
    other_use = "dr1." + Signer([NEW]).sign("upload", b"x" * 88)
    short = "dr1." + Signer([NEW]).sign("refresh", b"x" * 87)
    for wrong in (
        *bent[:-1],
        text + "A",
        text[:-2],
        text[4:],
        "",
        "dr1.",
        "dr1.r2.",
        other_use,
        short,
        "x" * 10_000,
    ):
        with pytest.raises(InvalidToken):
            tokens.read(wrong)


def test_a_key_is_a_prefix_and_a_secret_that_only_its_text_holds() -> None:
    key = key_from(bytes(range(64)))
    assert read_key(key.text()) == key
    assert key.text().startswith(f"drk_{key.prefix}_")
    assert len(key.prefix) == 8
    assert len(key.secret) == 43
    assert len(key.hash) == 32
    assert key.secret not in repr(key)
    with pytest.raises(ValueError):
        key_from(bytes(36))


@pytest.mark.parametrize(
    "text", ["", "drk_", "drk_abcdefgh_short", "DRK_aaaaaaaa_" + "a" * 43, "drk_aaaaaaa1_" + "a" * 43]
)
def test_what_has_not_a_keys_shape_is_none(text: str) -> None:
    assert read_key(text) is None
    assert read_key(key_from(bytes(64)).text() + "\n") is None

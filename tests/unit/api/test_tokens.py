"""Tokens and cursors are good for whom and for what they were made, and for nobody and nothing else."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import NamedSecret
from api.problems import Invalid
from api.queries.cursors import cursor_for, mark_of
from api.tokens import InvalidToken, Signer

OLD = NamedSecret(kid="old", secret=b"o" * 32)
NEW = NamedSecret(kid="new", secret=b"n" * 32)


def test_a_token_opens_for_its_purpose_and_holder_alone() -> None:
    signer = Signer([NEW])
    token = signer.sign("upload", b"payload", bound_to="ada")
    assert signer.open("upload", token, bound_to="ada") == b"payload"
    for purpose, holder in (("cursor", "ada"), ("upload", "ben"), ("upload", "")):
        with pytest.raises(InvalidToken):
            signer.open(purpose, token, bound_to=holder)


def test_secrets_can_be_replaced_without_breaking_what_is_out() -> None:
    token = Signer([OLD]).sign("upload", b"payload")
    assert Signer([NEW, OLD]).open("upload", token) == b"payload"
    with pytest.raises(InvalidToken):
        Signer([NEW]).open("upload", token)
    assert Signer([NEW, OLD]).sign("upload", b"").startswith("new.")


def test_every_flipped_character_is_noticed() -> None:
    signer = Signer([NEW])
    token = signer.sign("upload", b"some payload")
    for place in range(len(token)):
        for other in "Aa0-_.":
            forged = token[:place] + other + token[place + 1 :]
            if forged == token:
                continue
            # The last character may hold spare bits, which decode to the same bytes.
            if place == len(token) - 1:
                continue
            with pytest.raises(InvalidToken):
                signer.open("upload", forged)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    with pytest.raises(InvalidToken):
        Signer([NEW]).open("upload", text)


def test_a_cursor_is_bound_to_its_list() -> None:
    signer = Signer([NEW])
    mark = (datetime(2026, 5, 17, 8, 9, 10, 123456, tzinfo=UTC), uuid4())
    cursor = cursor_for(signer, mark, bound_to="assets ada ready")
    assert mark_of(signer, cursor, bound_to="assets ada ready") == mark
    for text, bound_to in (
        (cursor, "assets ben ready"),
        (cursor, "assets ada "),
        ("", "x"),
        ("new.AAAA", "x"),
    ):
        with pytest.raises(Invalid):
            mark_of(signer, text, bound_to=bound_to)

"""Addresses: many spellings and one account key, and texts that are no addresses."""

import pytest

from adapters.account_keys import MAX_ADDRESS_LENGTH, InvalidAddress, account_key, read_address
from schemas.identity import is_account_key

SECRET = b"a secret of thirty-two characters"


def key(text: str) -> str:
    return account_key(read_address(text), SECRET)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.org", "Ada@Example.ORG"),
        ("ada@bücher.example", "ADA@xn--bcher-kva.example"),
        ("ada@bücher.example", "ada@bu\u0308cher.example"),
        ("zoë@example.org", "zoe\u0308@example.org"),
        ("zoë@example.org", "ZOË@example.org"),
        ("ada@example.org", "\uff41da@example.org"),
        ("straße@example.org", "STRASSE@example.org"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
    ],
)
def test_all_spellings_of_an_address_have_one_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize("other", ["ada+tag@example.org", "a.da@example.org", "ada@sub.example.org"])
def test_dots_and_tags_are_their_owners_own(other: str) -> None:
    assert key("ada@example.org") != key(other)


def test_a_canonical_address_is_its_own_canonical_form() -> None:
    for text in ("İ@example.org", "ΑΣ@example.org", "Straße@bücher.example", "ŉ@example.org"):
        canonical = read_address(text).canonical
        assert read_address(canonical).canonical == canonical


def test_keys_look_like_account_keys_and_depend_on_the_secret() -> None:
    address = read_address("ada@example.org")
    assert is_account_key(account_key(address, SECRET))
    assert account_key(address, SECRET) != account_key(address, b"another secret")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "ada@@example.org",
        "ada @example.org",
        " ada@example.org",
        "ada@exam ple.org",
        "ada\0@example.org",
        "ada@example.org\r\nBcc: ben@example.org",
        "ada@[127.0.0.1]",
        "Ada <ada@example.org>",
        '"a b"@example.org',
        "a..b@example.org",
        "\ud800@example.org",
        "ada@exa\u202emple.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * MAX_ADDRESS_LENGTH + ".org",
    ],
)
def test_what_no_mail_could_be_sent_to_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidAddress) as refusal:
        read_address(text)
    assert not text.strip() or text not in str(refusal.value)

"""Addresses of people in one form, and the account keys that stand for them in the log."""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from typing import Final

from email_validator import EmailNotValidError, validate_email

MAX_ADDRESS_LENGTH: Final = 254
"""Characters of the longest address that SMTP can carry; longer texts are not even looked at."""


class InvalidAddress(ValueError):
    """No address that mail could be sent to; the text says why and does not repeat it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address: `shown` as it was written (NFC, domain in Unicode), `canonical` one for all spellings."""

    shown: str
    canonical: str


def read_address(text: str) -> Address:
    """The address in a text; raises InvalidAddress.

    Spellings that differ in case, in the width or composition of characters, or in a domain's encoding
    (Unicode or punycode) have one canonical form. What comes before the @ is otherwise its owner's own: dots
    and tags count. Nothing is looked up in the network.
    """
    if len(text) > MAX_ADDRESS_LENGTH:
        raise InvalidAddress(f"has more than {MAX_ADDRESS_LENGTH} characters")
    try:
        found = validate_email(text, check_deliverability=False, strict=True)
    except (EmailNotValidError, UnicodeError) as error:
        raise InvalidAddress("is no valid address") from error
    return Address(
        shown=found.normalized, canonical=f"{_folded(found.local_part)}@{found.ascii_domain.lower()}"
    )


def account_key(address: Address, secret: bytes) -> str:
    """The account key: HMAC-SHA256 of the canonical address, in 64 lower-case hex digits."""
    return hmac.new(secret, address.canonical.encode(), hashlib.sha256).hexdigest()


def _folded(text: str) -> str:
    # Folding can undo composition and composing can undo folding, so both once more (Unicode, 3.13, D147).
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).casefold()

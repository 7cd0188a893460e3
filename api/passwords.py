"""Texts that people type to be known: addresses and passwords, and what is said when they won't do."""

from typing import Annotated, Final

from pydantic import Field

from adapters.account_keys import MAX_ADDRESS_LENGTH, Address, InvalidAddress, read_address
from adapters.password_hashes import Checked, HashingBusy
from adapters.password_policy import LONGEST, WeakPassword, require_good
from api.identity_problems import Busy
from api.parts import Parts
from api.problems import invalid
from api.words import Text
from projections.accounts.queries import AccountRow

# A password that is too long is told so by the policy.
_MOST_TYPED: Final = 1000

Email = Annotated[
    Text, Field(min_length=1, max_length=MAX_ADDRESS_LENGTH, examples=["ada@example.org"], repr=False)
]
Password = Annotated[
    Text,
    Field(
        min_length=1,
        max_length=_MOST_TYPED,
        description=f"At most {LONGEST} characters count as a password.",
        examples=["nine red lamps by the river"],
        repr=False,
    ),
]


def address_of(text: str) -> Address:
    """The address; raises Invalid where it is none."""
    try:
        return read_address(text)
    except InvalidAddress as error:
        raise invalid("body.email", str(error)) from error


async def require_good_password(parts: Parts, password: str, *, about: str, location: str) -> None:
    """Raises Invalid, at `location`, for what is too easily guessed; Busy when too many are waiting."""
    try:
        await parts.identity.passwords.run(lambda: require_good(password, [about]))
    except WeakPassword as error:
        raise invalid(location, str(error)) from error
    except HashingBusy as error:
        raise Busy from error


async def hashed(parts: Parts, password: str) -> str:
    """A fresh hash; raises Busy."""
    try:
        with parts.metrics.identity.password_seconds.of().time():
            return await parts.identity.passwords.hash(password)
    except HashingBusy as error:
        raise Busy from error


async def is_right(parts: Parts, password: str, account: AccountRow) -> bool:
    """Whether this is the account's password; raises Busy."""
    return (await checked(parts, password, account.password_hash)).right


async def checked(parts: Parts, password: str, known: str | None) -> Checked:
    """Whether the password is the one of this hash, in the time that it takes for anybody; raises Busy."""
    if len(password) > LONGEST:
        known, password = None, ""
    try:
        with parts.metrics.identity.password_seconds.of().time():
            return await parts.identity.passwords.check(password, known)
    except HashingBusy as error:
        raise Busy from error

"""How often people, keys and networks may ask: rates, written as the limits library writes them."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from adapters.settings.fields import Fragment

_OFF: Final = "off"
_FORM: Final = "must be a rate such as 300/minute or 10 per 15 minutes, or off"


@dataclass(frozen=True, slots=True)
class Rate:
    """`amount` requests at once, and as many again over each `seconds`; `text` is how it was written."""

    amount: int
    seconds: int
    text: str

    @property
    def interval(self) -> float:
        """Seconds after which one more is allowed."""
        return self.seconds / self.amount

    def __str__(self) -> str:
        """As it was written."""
        return self.text


def rate(text: str) -> Rate | None:
    """Reads `300/minute`; None for `off`. Raises ValueError with a sentence."""
    if text.strip().lower() == _OFF:
        return None
    # Brings every store that the library knows along, so only whoever changes a rate pays for it.
    from limits.util import parse

    try:
        item = parse(text)
    except ValueError as error:
        raise ValueError(_FORM) from error
    if not (0 < item.amount <= 1_000_000_000 and 0 < item.get_expiry() <= 366 * 86400):
        raise ValueError(_FORM)
    return Rate(item.amount, item.get_expiry(), text.strip())


def _read(value: object) -> object:
    return rate(value) if isinstance(value, str) else value


RateOrOff = Annotated[Rate | None, BeforeValidator(_read)]
"""A rate: `300/minute`, `10 per 15 minutes`, `off`."""


class RateSettings(Fragment):
    """Rates of requests, shared by all processes through Postgres: 300/minute, 10 per 15 minutes, off."""

    reads: RateOrOff = Field(
        default=Rate(3000, 60, "3000/minute"),
        validation_alias="RATE_READS",
        description="Reads of one user.",
    )
    writes: RateOrOff = Field(
        default=Rate(600, 60, "600/minute"),
        validation_alias="RATE_WRITES",
        description="Writes of one user, uploads apart.",
    )
    uploads: RateOrOff = Field(
        default=Rate(600, 60, "600/minute"),
        validation_alias="RATE_UPLOADS",
        description="Requests of one user that upload, or prepare to.",
    )
    keys: RateOrOff = Field(
        default=Rate(3000, 60, "3000/minute"),
        validation_alias="RATE_KEYS",
        description="Requests of one API key, whatever they do.",
    )
    strangers: RateOrOff = Field(
        default=Rate(600, 60, "600/minute"),
        validation_alias="RATE_STRANGERS",
        description="Requests of one network without a credential, or with a wrong one.",
    )
    login_account: RateOrOff = Field(
        default=Rate(10, 900, "10/15minutes"),
        validation_alias="RATE_LOGIN_ACCOUNT",
        description="Wrong passwords for one account, from wherever.",
    )
    login_network: RateOrOff = Field(
        default=Rate(60, 900, "60/15minutes"),
        validation_alias="RATE_LOGIN_NETWORK",
        description="Wrong passwords from one network, for whichever accounts.",
    )
    registrations: RateOrOff = Field(
        default=Rate(30, 3600, "30/hour"),
        validation_alias="RATE_REGISTRATIONS",
        description="Accounts that one network may try to register.",
    )

"""Moments as clients send them: with a zone, and in UTC from then on."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

_DATED: Final = re.compile(r"[0-9]{4}-")


def _dated(value: object) -> object:
    """Pydantic would take a number for seconds since 1970, which no description of ours says."""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATED.match(value)):
        return value
    raise ValueError("must be a date and time like 2026-03-01T12:00:00Z")


def _in_utc(moment: datetime) -> datetime:
    """An offset can carry a moment out of the years that there are: no event could hold it."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the years 1 to 9999 of UTC") from error


Moment = Annotated[AwareDatetime, BeforeValidator(_dated), AfterValidator(_in_utc)]
"""An aware moment in UTC; another is refused where it stands."""

"""Compares ETags as conditional requests do."""

import re
from typing import Annotated, Final

from fastapi import Header

from api.asset_problems import VersionLost

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="An ETag of the asset: only this version of it is changed, otherwise the answer is 412.",
        examples=['"3-0.12-494321"'],
    ),
]

# An ETag of ours begins with the version; what follows are the read model's position and the addresses' time.
_VERSION: Final = re.compile(r'(?:W/)?"(?P<version>\d{1,18})-[^"]*"')


def matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names this ETag (weakly compared) or any."""
    if header is None:
        return False
    named = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in named or etag in named


def require_version(header: str | None, version: int) -> None:
    """Raises VersionLost unless an If-Match header names this version, or any; without one all is well.

    Of an ETag the version alone counts: new variants or new addresses are no reason to lose an edit.
    """
    if header is None or header.strip() == "*":
        return
    named = (_VERSION.fullmatch(part.strip()) for part in header.split(","))
    if version not in {int(found["version"]) for found in named if found is not None}:
        raise VersionLost

"""Where a record stands in the log, and the opaque tokens by which clients name such places."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass


class InvalidPosition(ValueError):
    """A position token that this program did not write."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Position:
    """The place of one record: topic, partition, offset."""

    topic: str
    partition: int
    offset: int

    def token(self) -> str:
        """The place as an opaque, URL-safe text."""
        return _encode(f"{self.topic}:{self.partition}:{self.offset}")

    @classmethod
    def from_token(cls, token: str) -> "Position":
        """The inverse of `token`; raises InvalidPosition on anything else."""
        topic, _, rest = _decode(token).partition(":")
        partition, _, offset = rest.partition(":")
        if not topic:
            raise InvalidPosition(token[:80])
        return cls(topic=topic, partition=_natural(partition), offset=_natural(offset))


Vector = Mapping[int, int]
"""For each partition of one topic the last offset seen; a partition not named was not seen at all."""


def vector_token(vector: Vector) -> str:
    """A vector of positions as an opaque, URL-safe text; the empty vector is `-`."""
    if not vector:
        return "-"
    return _encode(",".join(f"{partition}:{offset}" for partition, offset in sorted(vector.items())))


def vector_from_token(token: str) -> dict[int, int]:
    """The inverse of `vector_token`; raises InvalidPosition on anything else."""
    if token == "-":
        return {}
    vector: dict[int, int] = {}
    for part in _decode(token).split(","):
        partition, _, offset = part.partition(":")
        vector[_natural(partition)] = _natural(offset)
    return vector


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidPosition(text[:80])
    return int(text)


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(token: str) -> str:
    try:
        if len(token) > 4096:
            raise InvalidPosition(token[:80])
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, UnicodeEncodeError, ValueError) as error:
        raise InvalidPosition(token[:80]) from error

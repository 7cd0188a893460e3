"""Which pages of other origins may call the doors: those of a list, and nobody else learns anything."""

from collections.abc import Collection
from typing import Final

Headers = list[tuple[bytes, bytes]]

_METHODS: Final = b"GET, HEAD, POST, PATCH, DELETE"
_ASKED: Final = (
    b"Authorization, Content-Type, Darkroom-Position, Idempotency-Key, If-Match, If-None-Match, "
    b"Last-Event-ID, Upload-Token"
)
_SHOWN: Final = b"Darkroom-Position, ETag, Link, Location, RateLimit, Retry-After, X-Request-Id"
_KEEP_SECONDS: Final = b"600"


class Cors:
    """The headers for origins that may; for all others there are none, which is how browsers are told no."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def answer(self, origin: bytes | None) -> Headers:
        """What an answer to this origin carries."""
        if not self._origins:
            return []
        vary = [(b"vary", b"Origin")]
        if origin is None or origin.lower() not in self._origins:
            return vary
        return [*vary, (b"access-control-allow-origin", origin), (b"access-control-expose-headers", _SHOWN)]

    def preflight(self) -> Headers:
        """What an answer to a preflight of an allowed origin carries besides."""
        return [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _ASKED),
            (b"access-control-max-age", _KEEP_SECONDS),
        ]

"""Compares ETags as conditional requests do."""


def matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names this ETag (weakly compared) or any."""
    if header is None:
        return False
    named = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in named or etag in named

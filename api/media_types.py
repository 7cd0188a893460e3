"""Which types of picture the doors take, and what a file's name says where its type says nothing."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

# What the worker can decode. It trusts no declared type; this only tells people early.
EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".jpg": "image/jpeg",
        ".jpeg": "image/jpeg",
        ".jpe": "image/jpeg",
        ".png": "image/png",
        ".webp": "image/webp",
        ".gif": "image/gif",
        ".avif": "image/avif",
    }
)
ACCEPTED: Final = frozenset(EXTENSIONS.values())
SAYS_NOTHING: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType(
    {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg"}
)


def picture_type(declared: str, file_name: str = "") -> str | None:
    """The accepted type that is meant, without parameters and in lower case; None where it is none of ours.

    The name counts only where the declared type says nothing.
    """
    bare = declared.partition(";")[0].strip().lower()
    if bare in SAYS_NOTHING:
        return EXTENSIONS.get(PurePosixPath(file_name).suffix.lower())
    bare = _SYNONYMS.get(bare, bare)
    return bare if bare in ACCEPTED else None

"""The closed vocabularies of the log: kinds of failure, their codes, lanes, methods, reasons."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Lane = Literal["live", "bulk"]
LANES: Final[tuple[Lane, ...]] = ("live", "bulk")

Method = Literal["form", "direct", "multipart"]

PurgeCode = Literal["erased", "permanent", "expired"]
"""Why an asset is purged: its owner was erased, a person asked for it, or its time in the trash was over."""

ExpiryCode = Literal["expired", "aborted"]
"""Why an upload never came: its time was over, or a person called it off."""

TrashCode = Literal["user", "admin", "expired"]
"""Who put an asset into the trash, or took it out; or that its time there is over."""

Reason = Literal["retry", "regenerate", "redrive", "presets"]
"""Why variants are asked for again; such is the kind of the job. That of a first one is upload."""

RunKind = Literal["regenerate", "presets", "verify"]
RUN_KINDS: Final[tuple[RunKind, ...]] = ("regenerate", "presets", "verify")

Kind = Literal["refused", "exhausted", "unavailable", "internal", "interrupted"]

FAILURES: Final[Mapping[Kind, Mapping[str, str]]] = MappingProxyType(
    {
        "refused": {
            "not_an_image": "the bytes are no picture",
            "unsupported_format": "a picture, but of a format that is not accepted",
            "too_many_pixels": "more pixels, frames, or pixels over all frames, than the limits allow",
            "too_many_scans": "a JPEG with more scans than the limit allows",
            "truncated": "the file ends too early",
            "corrupt": "the decoder found the file broken",
            "empty": "no bytes at all",
            "too_large": "more bytes than the limit allows",
            "hash_mismatch": "the bytes are not those whose SHA-256 was declared",
            "object_missing": "the original is no longer there",
        },
        "exhausted": {
            "timeout": "the work ran out of time, twice",
            "out_of_memory": "the work ran out of memory, twice",
            "crashed": "the program that decodes died, twice",
        },
        "unavailable": {
            "store_unavailable": "the object store did not answer for longer than the budget",
            "original_incomplete": "the store kept giving another number of bytes than it promised",
            "key_unavailable": "the owner's data key could not be had for longer than the budget",
            "presets_unavailable": "the preset set's definition could not be had for longer than the budget",
        },
        "internal": {
            "unexpected_error": "a fault of ours, after three attempts",
            "worker_lost": "the worker died without a word, three times",
            "job_deleted": "an administrator removed the newest job before it had a result",
        },
        "interrupted": {
            "shutdown": "the worker was told to stop",
            "rebalance": "the partition went to another worker",
        },
    }
)
"""For each kind of failure its codes, and what each says to people."""


def is_failure(kind: str, code: str) -> bool:
    """Whether the catalogue knows this pair."""
    return any(kind == known and code in codes for known, codes in FAILURES.items())

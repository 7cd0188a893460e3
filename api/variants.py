"""Which stored picture a name means: variants in one or several formats, and the original beside them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from api.addresses import Addresses
from projections.assets.queries import AssetRow, VariantRow

ORIGINAL: Final = "original"
# What every client shows, whether it says so or not; a bare `*/*` is no promise to understand AVIF.
_UNIVERSAL: Final = frozenset({"image/jpeg", "image/png", "image/gif"})
_MOST_RANGES: Final = 50


def find_variant(row: AssetRow, name: str, accept: str | None = None) -> VariantRow | None:
    """The variant of this name, the original among them; None where there is none (yet).

    Where its preset has several formats, the one that an Accept header prefers, the smaller of equals.
    """
    if name == ORIGINAL:
        return original(row)
    return best([variant for variant in row.variants if variant.name == name], accept)


def largest(row: AssetRow, accept: str | None = None) -> VariantRow | None:
    """The variant with the most pixels, in the format that is preferred; never the original."""
    most = max((variant.width * variant.height for variant in row.variants), default=0)
    return best([variant for variant in row.variants if variant.width * variant.height == most], accept)


def best(variants: Sequence[VariantRow], accept: str | None = None) -> VariantRow | None:
    """The one whose format an Accept header prefers; None of none."""
    if len(variants) < 2:
        return variants[0] if variants else None
    ranges = dict(_ranges(accept or "*/*"))

    def rank(variant: VariantRow) -> tuple[float, bool, int]:
        universal = variant.content_type in _UNIVERSAL
        return _quality(ranges, variant.content_type, universal=universal), universal, -variant.size

    def among_accepted(variant: VariantRow) -> tuple[float, int]:
        return rank(variant)[0], -variant.size

    accepted = [variant for variant in variants if rank(variant)[0] > 0]
    return max(accepted, key=among_accepted) if accepted else max(variants, key=rank)


def variant_address(row: AssetRow, variant: VariantRow, *, addresses: Addresses, now: datetime) -> str:
    """Where a variant is shown. The original holds bytes that a stranger chose: it is only ever saved."""
    if variant.name == ORIGINAL:
        return addresses.save(
            variant.object_key, now=now, content_type=variant.content_type, file_name=row.file_name
        )
    return addresses.view(variant.object_key, now=now, content_type=variant.content_type)


def original(row: AssetRow) -> VariantRow | None:
    """The original as if it were a variant; None before it came. Its pixels are 0 until it was looked at."""
    if row.original_key is None:
        return None
    return VariantRow(
        name=ORIGINAL,
        object_key=row.original_key,
        content_type=row.content_type or "application/octet-stream",
        width=row.width or 0,
        height=row.height or 0,
        size=row.size or 0,
    )


def _quality(ranges: dict[str, float], content_type: str, *, universal: bool) -> float:
    if content_type in ranges:
        return ranges[content_type]
    return ranges.get("image/*", ranges.get("*/*", 0.0)) if universal else 0.0


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """The media ranges of an Accept header with their weights; what can't be read counts for nothing."""
    for part in accept.split(",")[:_MOST_RANGES]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = min(1.0, max(0.0, float(parameter[2:])))
                except ValueError:
                    weight = 0.0
        yield name, weight

"""The manifest: the last object of a job, which holds what VariantsReady will say whoever says it.

It knows neither job, attempt nor cost, so that any later job about the same source can repeat it.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from schemas.events import Encoder, Source, Variant

VERSION = 1


class ManifestBroken(ValueError):
    """The object is no manifest of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was made of one original; `digests` are the variants' SHA-256 in hex, in their order."""

    source: Source
    variants: tuple[Variant, ...]
    digests: tuple[str, ...]
    preset_set: str
    encoder: Encoder
    sealed_facts: bytes | None
    metadata_key: str | None = None


def write_manifest(manifest: Manifest) -> bytes:
    """The manifest as the bytes of a JSON object; the inverse of `read_manifest`."""
    sealed = manifest.sealed_facts
    content = {
        "version": VERSION,
        "source": _plain(manifest.source),
        "variants": [
            _plain(variant) | {"sha256": digest}
            for variant, digest in zip(manifest.variants, manifest.digests, strict=True)
        ],
        "preset_set": manifest.preset_set,
        "encoder": _plain(manifest.encoder),
        "sealed_facts": None if sealed is None else base64.b64encode(sealed).decode(),
        "metadata_key": manifest.metadata_key,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_manifest(data: bytes) -> Manifest:
    """The manifest in `data`; raises ManifestBroken on anything that `write_manifest` does not write."""
    try:
        content = json.loads(data)
        if content["version"] != VERSION:
            raise ManifestBroken(f"version {content['version']!r}")
        sealed = content["sealed_facts"]
        return Manifest(
            source=Source(**content["source"]),
            variants=tuple(_variant(row) for row in content["variants"]),
            digests=tuple(str(row["sha256"]) for row in content["variants"]),
            preset_set=str(content["preset_set"]),
            encoder=Encoder(**content["encoder"]),
            sealed_facts=None if sealed is None else base64.b64decode(sealed, validate=True),
            metadata_key=content["metadata_key"],
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ManifestBroken(type(error).__name__) from error


def _plain(row: Source | Variant | Encoder) -> dict[str, object]:
    """A flat row as a dictionary; asdict would copy each value deeply, at ten times the cost."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _variant(row: Mapping[str, Any]) -> Variant:
    return Variant(**{name: value for name, value in row.items() if name != "sha256"})

"""Stores what was rendered: variants and metadata side by side, the manifest last, a look at the original."""

import json
from dataclasses import replace

from adapters.failpoints import Failpoints
from processors.failures import Refusal
from processors.imaging import contract
from processors.jobs import Request
from processors.sandbox import Rendered
from processors.variants.conversions import said_encoder, said_source
from processors.variants.job_store import JobStore, together
from processors.variants.keys import manifest_key, metadata_key, variant_key
from processors.variants.manifest import Manifest, write_manifest
from schemas.events import Variant

_JSON = "application/json"
# Where the camera stood; kept only where a setting says so.
_POSITION = "gps"


def write_metadata(rendered: Rendered, *, keep_position: bool) -> bytes:
    """What the camera wrote, as the bytes of a JSON object; none where it wrote nothing that is kept.

    Its size is bounded where it is read (processors.imaging.plain_json).
    """
    found = rendered.facts.metadata
    kept = {name: tags for name, tags in found.items() if keep_position or name != _POSITION}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode() if any(kept.values()) else b""


def files_of(rendered: Rendered) -> tuple[contract.Variant, ...]:
    """The files to keep, each by its preset's name: one for each format of a preset.

    The recipe tells formats apart in the name; whoever shows a variant does by its content type. Two formats
    of a preset may come to the same file (auto and webp of a picture with transparency): once is enough.
    """
    found = {(made.name.partition(".")[0], made.format): made for made in rendered.variants}
    return tuple(replace(made, name=name) for (name, _), made in found.items())


def manifest_of(
    rendered: Rendered, *, request: Request, folder: str, sealed_facts: bytes | None, metadata: bytes
) -> Manifest:
    """What was rendered, as it will stand under `folder`; `metadata` as `write_metadata` gives it."""
    beside = metadata_key(asset_id=request.asset_id, object_key=request.object_key)
    files = files_of(rendered)
    return Manifest(
        source=said_source(rendered.source, request.object_key),
        variants=tuple(_variant(made, folder) for made in files),
        digests=tuple(made.sha256 for made in files),
        preset_set=request.preset_set,
        encoder=said_encoder(rendered.encoder),
        sealed_facts=sealed_facts,
        metadata_key=beside if metadata else None,
    )


async def store_set(
    store: JobStore,
    rendered: Rendered,
    manifest: Manifest,
    *,
    folder: str,
    metadata: bytes,
    failpoints: Failpoints,
) -> int:
    """Writes all objects and returns how many bytes they have.

    An original that is gone by then was purged meanwhile: what was written is taken back. Raises
    Refusal(object_missing), Outage.
    """
    data = write_manifest(manifest)

    async def put(key: str, content: bytes | memoryview, content_type: str) -> None:
        await store.put(key, content, content_type)
        failpoints.hit("worker.after_put")

    pairs = zip(manifest.variants, map(rendered.bytes_of, files_of(rendered)), strict=True)
    once: dict[str, tuple[bytes | memoryview, str]] = {
        variant.object_key: (content, variant.content_type) for variant, content in pairs
    }
    if manifest.metadata_key is not None:
        once[manifest.metadata_key] = (metadata, _JSON)
    await together(*(put(key, *each) for key, each in once.items()))
    await store.put(manifest_key(folder), data, _JSON)
    failpoints.hit("worker.after_manifest")
    if not await store.stands(manifest.source.object_key):
        await store.take_back([*once, manifest_key(folder)])
        raise Refusal("object_missing")
    return len(data) + sum(len(content) for content, _ in once.values())


def _variant(made: contract.Variant, folder: str) -> Variant:
    return Variant(
        name=made.name,
        object_key=variant_key(folder, made.name, made.format),
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=made.size,
    )

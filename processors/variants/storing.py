"""Stores what was rendered: the variants side by side, the manifest last, and a look back at the original."""

from itertools import starmap

from adapters.failpoints import Failpoints
from processors.failures import Refusal
from processors.imaging import contract
from processors.sandbox import Rendered
from processors.variants.conversions import said_encoder, said_source
from processors.variants.job_store import JobStore, together
from processors.variants.keys import manifest_key, variant_key
from processors.variants.manifest import Manifest, write_manifest
from schemas.events import UploadCompleted, Variant

_MANIFEST_TYPE = "application/json"


def manifest_of(
    rendered: Rendered, *, request: UploadCompleted, folder: str, sealed_facts: bytes | None
) -> Manifest:
    """What was rendered, as it will stand under `folder`."""
    return Manifest(
        source=said_source(rendered.source, request.object_key),
        variants=tuple(_variant(made, folder) for made in rendered.variants),
        digests=tuple(made.sha256 for made in rendered.variants),
        preset_set=request.preset_set,
        encoder=said_encoder(rendered.encoder),
        sealed_facts=sealed_facts,
    )


async def store_set(
    store: JobStore, rendered: Rendered, manifest: Manifest, *, folder: str, failpoints: Failpoints
) -> int:
    """Writes all objects and returns how many bytes they have.

    An original that is gone by then was purged meanwhile: what was written is taken back. Raises
    Refusal(object_missing), Outage.
    """
    data = write_manifest(manifest)

    async def put(variant: Variant, content: memoryview) -> None:
        await store.put(variant.object_key, content, variant.content_type)
        failpoints.hit("worker.after_put")

    pairs = zip(manifest.variants, map(rendered.bytes_of, rendered.variants), strict=True)
    # Two presets may come to the same object (auto and webp of a picture with transparency): once is enough.
    once = {variant.object_key: (variant, content) for variant, content in pairs}
    await together(*starmap(put, once.values()))
    await store.put(manifest_key(folder), data, _MANIFEST_TYPE)
    failpoints.hit("worker.after_manifest")
    if not await store.stands(manifest.source.object_key):
        await store.take_back([*once, manifest_key(folder)])
        raise Refusal("object_missing")
    return len(data) + sum(variant.size for variant, _ in once.values())


def _variant(made: contract.Variant, folder: str) -> Variant:
    return Variant(
        name=made.name,
        object_key=variant_key(folder, made.name, made.format),
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        size=made.size,
    )

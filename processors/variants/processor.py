"""The variants processor: an original whose variants are asked for becomes a stored set of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from adapters.clock import Clock
from adapters.failpoints import Failpoints
from adapters.object_store import ObjectStore
from adapters.operations import PresetSets
from adapters.subject_keys import SubjectKeys, UnknownKey
from processors.failures import Exhaustion, Interruption, Refusal, Unfit
from processors.imaging import contract
from processors.jobs import Attempt, Job, Request
from processors.journal import Journal
from processors.retries import Retries
from processors.sandbox import Exhausted, Interrupted, Rendered, SandboxUnavailable
from processors.variants.conversions import said_encoder, wanted
from processors.variants.facts import declared_sha256, seal_facts
from processors.variants.job_store import JobStore
from processors.variants.keys import manifest_key, variants_folder, variants_prefix
from processors.variants.manifest import Manifest, ManifestBroken, read_manifest
from processors.variants.storing import manifest_of, store_set, write_metadata
from schemas.events import Cost, Encoder, Event, Preset, UploadCompleted, VariantsReady, VariantsRequested

T = TypeVar("T")


class Renderer(Protocol):
    """What the processor needs of the sandbox."""

    @property
    def encoder(self) -> contract.Encoder:
        """Which programs decide the bytes of a variant."""
        ...

    async def render(
        self,
        data: bytes | memoryview,
        *,
        owner: str,
        presets: Sequence[contract.Preset],
        expected_sha256: str | None = None,
    ) -> Rendered:
        """The variants of a source; raises Refused, Exhausted, Interrupted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the processor works with; `keep_position` keeps where the camera stood in its metadata."""

    store: ObjectStore
    keys: SubjectKeys
    presets: PresetSets
    renderer: Renderer
    journal: Journal
    clock: Clock
    failpoints: Failpoints
    keep_position: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A set that stands in the store, and what it took."""

    manifest: Manifest
    manifest_key: str
    bytes_read: int
    bytes_written: int = 0
    cpu_ms: int = 0
    peak_rss_kib: int = 0


class _UnknownPresets(Exception):
    """A preset set that the operations topic has not defined (yet)."""


class VariantsProcessor:
    """Renders originals into the preset set that their request names."""

    component = "variants"
    source = "/processors/variants"

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def job_in(self, event: Event) -> Job | None:
        """A completed upload asks for its variants, and so does who asks for them again; nobody else."""
        match event:
            case UploadCompleted() | VariantsRequested():
                return Job(
                    job_id=event.job_id,
                    asset_id=event.asset_id,
                    owner_id=event.owner_id,
                    lane=event.lane,
                    cause=event.event_id,
                    request=event,
                )
            case _:
                return None

    async def work(self, job: Job, attempt: Attempt) -> VariantsReady:
        """Renders and stores, or finds that all of it stands already and says so."""
        began = time.perf_counter()
        made = await self._made(job.request, attempt)
        manifest = made.manifest
        return VariantsReady(
            event_id=job.result_id,
            occurred_at=self._tools.clock.now(),
            asset_id=job.asset_id,
            owner_id=job.owner_id,
            job_id=job.job_id,
            attempt=attempt.number,
            source=manifest.source,
            variants=manifest.variants,
            manifest_key=made.manifest_key,
            sealed_facts=manifest.sealed_facts,
            metadata_key=manifest.metadata_key,
            preset_set=manifest.preset_set,
            encoder=manifest.encoder,
            cost=Cost(
                cpu_ms=made.cpu_ms,
                wall_ms=round((time.perf_counter() - began) * 1000),
                peak_rss_kib=made.peak_rss_kib,
                bytes_read=made.bytes_read,
                bytes_written=made.bytes_written,
            ),
        )

    async def _made(self, request: Request, attempt: Attempt) -> _Made:
        """A set that stands, or one that is made now."""
        store, retries = JobStore(self._tools.store, attempt.retries), attempt.retries
        encoder = said_encoder(self._tools.renderer.encoder)
        folder = variants_folder(request, encoder)
        self._tools.failpoints.hit("worker.before_read")
        with self._tools.journal.stage("fetch"):
            standing = await self._standing(store, request, folder, encoder, attempt)
            if standing is not None:
                return standing
            original = await store.original(request.object_key, request.size)
        with await self._rendered(original, request, retries) as rendered:
            metadata = write_metadata(rendered, keep_position=self._tools.keep_position)
            manifest = await self._described(rendered, request, folder, metadata, retries)
            with self._tools.journal.stage("store"):
                written = await store_set(
                    store,
                    rendered,
                    manifest,
                    folder=folder,
                    metadata=metadata,
                    failpoints=self._tools.failpoints,
                )
            return _Made(
                manifest=manifest,
                manifest_key=manifest_key(folder),
                bytes_read=len(original),
                bytes_written=written,
                cpu_ms=round(rendered.cost.cpu_ms),
                peak_rss_kib=rendered.cost.peak_rss_kib,
            )

    async def _standing(
        self, store: JobStore, request: Request, folder: str, encoder: Encoder, attempt: Attempt
    ) -> _Made | None:
        """A set that need not be made: one that the request names, or an earlier attempt's.

        Nobody else can have made anything in the job's own folder, so before a second attempt the store is
        not asked for that.
        """
        wanted = [manifest_key(folder)] if attempt.number > 1 else []
        named = request.manifest_key if isinstance(request, VariantsRequested) else None
        if named is not None and named.startswith(variants_prefix(request.asset_id)):
            wanted.append(named)
        for key in wanted:
            data = await store.find(key)
            manifest = self._read(data, key, request)
            if data is None or manifest is None:
                continue
            if key == named and _is_to_be_made_anew(request, manifest, encoder):
                continue
            return _Made(manifest=manifest, manifest_key=key, bytes_read=len(data))
        return None

    def _read(self, data: bytes | None, key: str, request: Request) -> Manifest | None:
        """The manifest that stands there, if it is one and about this original and preset set."""
        if data is None:
            return None
        try:
            manifest = read_manifest(data)
        except ManifestBroken:
            manifest = None
        fits = (
            manifest is not None
            and manifest.source.object_key == request.object_key
            and manifest.preset_set == request.preset_set
        )
        if not fits:
            self._tools.journal.manifest_broken(key)
        return manifest if fits else None

    async def _rendered(self, original: memoryview, request: Request, retries: Retries) -> Rendered:
        """The variants, in memory of the sandbox's; to be closed."""
        presets = await self._presets(request.preset_set, retries)
        sha256 = await self._with_key(lambda: declared_sha256(self._tools.keys, request), retries)
        self._tools.failpoints.hit("worker.before_render")
        try:
            with self._tools.journal.stage("render"):
                return await self._tools.renderer.render(
                    original, owner=str(request.owner_id), presets=presets, expected_sha256=sha256
                )
        except contract.Refused as refused:
            raise Refusal(refused.code) from None
        except Exhausted as exhausted:
            raise Exhaustion(exhausted.code) from None
        except Interrupted:
            raise Interruption("shutdown") from None
        except SandboxUnavailable as gone:
            raise Unfit("shutdown") from gone

    async def _described(
        self, rendered: Rendered, request: Request, folder: str, metadata: bytes, retries: Retries
    ) -> Manifest:
        def seal() -> bytes | None:
            return seal_facts(
                self._tools.keys, rendered.facts, user_id=request.owner_id, key_id=request.data_key_id
            )

        sealed = await self._with_key(seal, retries)
        return manifest_of(rendered, request=request, folder=folder, sealed_facts=sealed, metadata=metadata)

    async def _presets(self, preset_set: str, retries: Retries) -> tuple[contract.Preset, ...]:
        async def look() -> tuple[Preset, ...]:
            presets = self._tools.presets.definition(preset_set)
            if presets is None:
                raise _UnknownPresets(preset_set)
            return presets

        return wanted(await retries.run(look, on={_UnknownPresets: "presets_unavailable"}))

    async def _with_key(self, use: Callable[[], T], retries: Retries) -> T:
        """What needs the person's key; one that nobody knows is waited for, it is never a null."""

        async def call() -> T:
            return use()

        return await retries.run(call, on={UnknownKey: "key_unavailable"})


def _is_to_be_made_anew(request: Request, manifest: Manifest, encoder: Encoder) -> bool:
    """A regeneration is for what other programs made; whoever asks for a set by its presets takes any."""
    regenerated = isinstance(request, VariantsRequested) and request.reason == "regenerate"
    return regenerated and manifest.encoder != encoder

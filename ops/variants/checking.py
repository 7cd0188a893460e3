"""One set of variants, rendered again and compared with its manifest and with what the store holds."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args
from uuid import UUID

from adapters.object_store import ObjectMissing, StoreUnavailable
from processors.imaging.contract import Refused
from processors.retries import Retries
from processors.sandbox import Broken, Exhausted
from processors.variants.conversions import said_encoder, wanted
from processors.variants.manifest import Manifest, ManifestBroken, read_manifest
from processors.variants.processor import Renderer
from processors.variants.storing import files_of
from schemas.asset_state import VariantSet
from schemas.events import Encoder, Preset

Outcome = Literal[
    "equal",
    "equal_other_encoder",
    "differs",
    "differs_other_encoder",
    "object_missing",
    "object_damaged",
    "manifest_missing",
    "manifest_broken",
    "original_missing",
    "original_damaged",
    "not_rendered",
    "unknown_presets",
    "unknown_asset",
    "no_variants",
    "purged",
    "retired",
]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
FINE: Final[frozenset[Outcome]] = frozenset(
    {"equal", "equal_other_encoder", "no_variants", "purged", "retired"}
)
"""Where nothing is wrong."""

_File = tuple[str, str]
"""A variant by its name and content type: a preset may have several formats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of a set, or (`preset_set` None) of an asset.

    `variants` are the names of those it is about, where it is about some; `detail` says more, `made_by` is
    the encoder of the manifest where one could be read.
    """

    asset_id: UUID
    outcome: Outcome
    preset_set: str | None = None
    variants: tuple[str, ...] = ()
    detail: str | None = None
    made_by: Encoder | None = None


class Objects(Protocol):
    """The part of an object store that changes nothing."""

    async def view(self, key: str) -> memoryview:
        """The object's bytes, all of them; raises ObjectMissing, StoreUnavailable, StoreRefused."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a check works with; each check has `retries` of its own."""

    store: Objects
    renderer: Renderer
    retries: Callable[[], Retries]

    @property
    def encoder(self) -> Encoder:
        """Who renders here."""
        return said_encoder(self.renderer.encoder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One standing set of an asset; `presets` is the log's definition of it, None where it has none."""

    asset_id: UUID
    owner_id: UUID
    made: VariantSet
    presets: tuple[Preset, ...] | None


async def check(subject: Subject, tools: Tools) -> tuple[Finding, ...]:
    """All that is wrong with the set, or one finding that says it is equal.

    Raises Outage where the store stays away, StoreRefused, SandboxUnavailable.
    """
    return await _Check(subject, tools).findings()


class _Check:
    """One check, from its first read to its findings."""

    def __init__(self, subject: Subject, tools: Tools) -> None:
        self._subject = subject
        self._tools = tools
        self._retries = tools.retries()
        self._made_by: Encoder | None = None

    async def findings(self) -> tuple[Finding, ...]:
        data = await self._read(self._subject.made.manifest_key)
        if data is None:
            return (self._found("manifest_missing"),)
        try:
            manifest = read_manifest(bytes(data))
        except ManifestBroken as error:
            return (self._found("manifest_broken", detail=str(error)),)
        self._made_by = manifest.encoder
        if other := _told_otherwise(manifest, self._subject.made):
            return (self._found("manifest_broken", detail=f"the log has another {', '.join(other)}"),)
        found = [*await self._stored(manifest), *await self._rendered(manifest)]
        return tuple(found) or (self._found(self._by_encoder("equal", "equal_other_encoder")),)

    async def _stored(self, manifest: Manifest) -> list[Finding]:
        """Whether the store has the very bytes that the manifest tells of."""
        missing, damaged = list[str](), list[str]()
        for variant, digest in zip(manifest.variants, manifest.digests, strict=True):
            data = await self._read(variant.object_key)
            if data is None:
                missing.append(variant.name)
            elif hashlib.sha256(data).hexdigest() != digest:
                damaged.append(variant.name)
        found = [self._found("object_missing", missing)] if missing else []
        return [*found, self._found("object_damaged", damaged)] if damaged else found

    async def _rendered(self, manifest: Manifest) -> list[Finding]:
        """Whether the original comes out as the manifest tells."""
        if self._subject.presets is None:
            return [self._found("unknown_presets")]
        original = await self._read(manifest.source.object_key)
        if original is None:
            return [self._found("original_missing")]
        if len(original) != manifest.source.size:
            told = f"{len(original):,} bytes of {manifest.source.size:,}"
            return [self._found("original_damaged", detail=told)]
        try:
            digests = await self._digests(original, self._subject.presets)
        except (Refused, Exhausted, Broken) as error:
            return [self._found("not_rendered", detail=str(error))]
        differing = _differing(digests, manifest)
        outcome = self._by_encoder("differs", "differs_other_encoder")
        return [self._found(outcome, differing)] if differing else []

    async def _digests(self, original: memoryview, presets: tuple[Preset, ...]) -> dict[_File, str]:
        """The SHA-256 of each variant by its name and content type, as it is rendered now."""
        owner = str(self._subject.owner_id)
        with await self._tools.renderer.render(original, owner=owner, presets=wanted(presets)) as rendered:
            return {(made.name, made.content_type): made.sha256 for made in files_of(rendered)}

    async def _read(self, key: str) -> memoryview | None:
        """The object's bytes, None where there is none; an outage is waited for."""
        try:
            return await self._retries.run(
                lambda: self._tools.store.view(key), on={StoreUnavailable: "store_unavailable"}
            )
        except ObjectMissing:
            return None

    def _by_encoder(self, ours: Outcome, other: Outcome) -> Outcome:
        return ours if self._made_by == self._tools.encoder else other

    def _found(self, outcome: Outcome, variants: Iterable[str] = (), *, detail: str | None = None) -> Finding:
        return Finding(
            asset_id=self._subject.asset_id,
            outcome=outcome,
            preset_set=self._subject.made.preset_set,
            variants=tuple(variants),
            detail=detail,
            made_by=self._made_by,
        )


def _told_otherwise(manifest: Manifest, made: VariantSet) -> list[str]:
    """What the manifest tells otherwise than the log, which repeated it."""
    names = ("source", "variants", "preset_set", "encoder")
    return [name for name in names if getattr(manifest, name) != getattr(made, name)]


def _differing(digests: Mapping[_File, str], manifest: Manifest) -> list[str]:
    """The names of variants with other digests now, of those not made any more, and of new ones."""
    before = {
        (variant.name, variant.content_type): digest
        for variant, digest in zip(manifest.variants, manifest.digests, strict=True)
    }
    differing = (file for file in {**before, **digests} if before.get(file) != digests.get(file))
    return list(dict.fromkeys(name for name, _ in differing))

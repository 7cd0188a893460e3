"""What a verification reads, in memory: sets as the processor makes them, and states that tell of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from ops.variants.checking import Tools
from ops.variants.choosing import Wanted
from ops.variants.verifying import Report, Verification
from processors.imaging.contract import Encoder
from processors.imaging.contract import Preset as Recipe
from processors.retries import Retries
from processors.sandbox import Rendered
from schemas.asset_state import AssetState, Original, Upload, VariantSet
from schemas.events import Preset, UploadCompleted, VariantsReady
from schemas.presets import DEFAULT_PRESETS
from tests.unit.processors.renderers import InProcessRenderer, picture
from tests.unit.processors.test_variants import process, ready
from tests.unit.processors.worlds import NOW, PRESET_SET, World

NEWER = Encoder(pillow="1.1", codecs="2", resizer="3", simd="4")


@dataclass
class InMemoryLibrary:
    """The twin: all that it holds is wanted, unless assets are named. `later` is how an asset is met next."""

    known: dict[UUID, AssetState] = field(default_factory=dict)
    definitions: dict[str, tuple[Preset, ...]] = field(default_factory=lambda: {PRESET_SET: DEFAULT_PRESETS})
    later: dict[UUID, AssetState] = field(default_factory=dict)

    def how_many(self, wanted: Wanted) -> int:
        """As the Protocol says."""
        return sum(len(page) for page in self.pages(wanted))

    def pages(self, wanted: Wanted) -> Iterator[Sequence[UUID]]:
        """As the Protocol says: two at a time."""
        ids = [*(wanted.asset_ids or self.known)][: wanted.most]
        yield from (ids[start : start + 2] for start in range(0, len(ids), 2))

    def states(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, AssetState]:
        """As the Protocol says."""
        found = {asset_id: self.known[asset_id] for asset_id in asset_ids if asset_id in self.known}
        self.known |= {asset_id: self.later[asset_id] for asset_id in asset_ids if asset_id in self.later}
        return found

    def presets(self, preset_set: str) -> tuple[Preset, ...] | None:
        """As the Protocol says."""
        return self.definitions.get(preset_set)


class OtherQuality(InProcessRenderer):
    """Encodes large variants otherwise than the presets say: other bytes, as other programs make them."""

    async def render(
        self,
        data: bytes | memoryview,
        *,
        owner: str,
        presets: Sequence[Recipe],
        expected_sha256: str | None = None,
    ) -> Rendered:
        """As the sandbox does it, but for `large`."""
        other = [replace(one, quality=31) if one.name == "large" else one for one in presets]
        return await super().render(data, owner=owner, presets=other, expected_sha256=expected_sha256)


@dataclass
class Ground:
    """A world with sets in its store, and the library that knows of them."""

    world: World = field(default_factory=World)
    library: InMemoryLibrary = field(default_factory=InMemoryLibrary)

    async def asset(self, colour: str = "teal") -> AssetState:
        """An asset with one set, made by the processor."""
        request = await self.world.request(picture(320, 200, colour))
        assert await process(self.world, request)
        state = state_of(request, ready(self.world))
        self.library.known[state.asset_id] = state
        return state

    async def verify(
        self, renderer: InProcessRenderer | None = None, *, budget: float = 0.05, **wanted: object
    ) -> Report:
        """What comes of a verification, with nothing in the store changed by it."""
        before = [(info.key, info.etag) async for info in self.world.store.list("")]
        report = await Verification(
            library=self.library,
            tools=Tools(
                store=self.world.store,
                renderer=renderer or InProcessRenderer(),
                retries=lambda: Retries(budget=budget, retried=lambda _code, _tries: None),
            ),
            wanted=Wanted(**wanted),  # type: ignore[arg-type]  # each test gives what it wants
            at_once=2,
        ).report()
        assert [(info.key, info.etag) async for info in self.world.store.list("")] == before
        return report


def state_of(request: UploadCompleted, said: VariantsReady) -> AssetState:
    """The asset as its log tells of it after these two."""
    return AssetState(
        asset_id=request.asset_id,
        owner_id=request.owner_id,
        version=2,
        upload=Upload(
            upload_id=request.upload_id,
            object_key="incoming/x",
            content_type=request.content_type,
            declared_size=None,
            requested_at=NOW,
            expires_at=NOW,
        ),
        original=Original(
            object_key=request.object_key,
            content_type=request.content_type,
            size=request.size,
            uploaded_at=NOW,
            data_key_id=request.data_key_id,
            sealed_digests=request.sealed_digests,
        ),
        served=VariantSet(
            job_id=said.job_id,
            order=1,
            preset_set=said.preset_set,
            source=said.source,
            variants=said.variants,
            manifest_key=said.manifest_key,
            metadata_key=said.metadata_key,
            sealed_facts=said.sealed_facts,
            encoder=said.encoder,
            ready_at=NOW,
        ),
    )


def served(state: AssetState) -> VariantSet:
    """The set that is served."""
    assert state.served is not None
    return state.served

"""The variants processor on twins of all but the recipe: what it writes, says, repeats and takes back."""

import hashlib
import json
from dataclasses import replace
from uuid import uuid4

import pytest

from adapters.object_store import InMemoryObjectStore, ObjectInfo, StoreUnavailable
from adapters.sealing import open_json
from processors.look_ahead.job_index import JobFact
from processors.sandbox import Exhausted, Interrupted, Refused, SandboxUnavailable
from processors.variants.manifest import ManifestBroken, read_manifest
from schemas.events import UploadCompleted, VariantsReady
from tests.unit.processors.renderers import InProcessRenderer, picture
from tests.unit.processors.variants import reactor
from tests.unit.processors.worlds import OWNER, PRESET_SET, Left, World, take


class AttentiveStore(InMemoryObjectStore):
    """Remembers what it was asked to give."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def get(self, key: str) -> bytes:
        self.asked.append(key)
        return await super().get(key)


async def process(world: World, request: UploadCompleted, renderer: InProcessRenderer | None = None) -> bool:
    renderer = renderer or InProcessRenderer()
    return await take(reactor(world, renderer), await world.appended(request))


async def repeat(world: World, request: UploadCompleted, renderer: InProcessRenderer | None = None) -> None:
    """Another job about the same original, of which an attempt has ended silently already."""
    again = replace(request, job_id=uuid4(), event_id=uuid4())
    record = await world.appended(again)
    begun = JobFact(offset=record.offset, event="ProcessingStarted", job_id=again.job_id, attempt=1)
    world.look_ahead.said(record.partition, begun)
    assert await take(reactor(world, renderer or InProcessRenderer()), record)


async def listed(store: InMemoryObjectStore) -> dict[str, ObjectInfo]:
    return {info.key: info async for info in store.list("assets/")}


def ready(world: World) -> VariantsReady:
    event = world.said()[-1]
    assert isinstance(event, VariantsReady)
    return event


async def test_an_upload_becomes_four_variants_and_a_manifest() -> None:
    world = World()
    request = await world.request(original := picture(2400, 1200))
    assert await process(world, request)
    said = ready(world)
    assert {v.name: (v.width, v.height) for v in said.variants} == {
        "large": (1920, 960),
        "medium": (1024, 512),
        "small": (480, 240),
        "thumbnail": (150, 150),
    }
    assert (said.source.width, said.source.height, said.source.format) == (2400, 1200, "jpeg")
    assert said.source.object_key == request.object_key
    folder = f"assets/{request.asset_id}/variants/nonce1/{PRESET_SET[:12]}-"
    for variant in said.variants:
        assert variant.object_key.startswith(folder)
        assert variant.object_key.endswith(f"/{variant.name}.jpg")
        assert len(await world.store.get(variant.object_key)) == variant.size
    objects = await listed(world.store)
    assert set(objects) == {request.object_key, said.manifest_key} | {v.object_key for v in said.variants}
    assert said.cost.bytes_read == len(original)
    assert said.cost.bytes_written == sum(
        info.size for key, info in objects.items() if key != request.object_key
    )


async def test_the_manifest_has_digests_and_neither_job_nor_cost() -> None:
    world = World()
    request = await world.request(picture())
    await process(world, request)
    data = await world.store.get(ready(world).manifest_key)
    manifest = read_manifest(data)
    for variant, digest in zip(manifest.variants, manifest.digests, strict=True):
        assert hashlib.sha256(await world.store.get(variant.object_key)).hexdigest() == digest
    assert not {"job_id", "attempt", "cost"} & set(json.loads(data))


async def test_what_is_read_off_the_picture_is_sealed() -> None:
    world = World()
    request = await world.request(original := picture())
    await process(world, request)
    sealed = ready(world).sealed_facts
    assert sealed is not None
    facts = open_json(world.keys, user_id=OWNER, field="sealed_facts", sealed=sealed)
    assert facts is not None
    assert facts["sha256"] == hashlib.sha256(original).hexdigest()
    assert set(facts) == {"thumbhash", "taken_at", "camera", "sha256"}


async def test_a_manifest_that_stands_is_said_again_and_nothing_rendered() -> None:
    """Another job about the same original: same variants, own event, no pixel touched, no byte written."""
    world, renderer = World(), InProcessRenderer()
    request = await world.request(picture())
    await process(world, request, renderer)
    first, before = ready(world), await listed(world.store)
    await repeat(world, request, renderer)
    second = ready(world)
    assert renderer.renders == 1
    assert await listed(world.store) == before
    assert second.event_id != first.event_id
    assert (second.variants, second.sealed_facts, second.source) == (
        first.variants,
        first.sealed_facts,
        first.source,
    )
    assert second.cost.bytes_written == 0


async def test_a_first_attempt_asks_for_the_original_alone() -> None:
    """Its key is as new as the job: a manifest can't stand, and looking for it is a call to the store."""
    world = World(store=AttentiveStore())
    request = await world.request(picture())
    await process(world, request)
    assert isinstance(world.store, AttentiveStore)
    assert world.store.asked == [request.object_key]


async def test_another_encoder_renders_anew_beside_the_old_set() -> None:
    world, newer = World(), InProcessRenderer()
    request = await world.request(picture())
    await process(world, request)
    first = ready(world)
    newer.encoder = replace(newer.encoder, pillow="14")
    await repeat(world, request, newer)
    assert newer.renders == 1
    assert ready(world).manifest_key != first.manifest_key


@pytest.mark.parametrize("broken", [b"", b"{}", b"not json", b'{"version":1}'])
async def test_a_broken_manifest_is_made_again(broken: bytes) -> None:
    world, renderer = World(), InProcessRenderer()
    request = await world.request(picture())
    await process(world, request, renderer)
    key = ready(world).manifest_key
    await world.store.put(key, broken, content_type="application/json")
    await repeat(world, request, renderer)
    assert renderer.renders == 2
    assert read_manifest(await world.store.get(key)).preset_set == PRESET_SET


@pytest.mark.parametrize("change", [{"preset_set": "f" * 64}, {"source": "another original"}])
async def test_a_manifest_of_something_else_is_not_said(change: dict[str, str]) -> None:
    world, renderer = World(), InProcessRenderer()
    request = await world.request(picture())
    await process(world, request, renderer)
    key = ready(world).manifest_key
    content = json.loads(await world.store.get(key))
    if "source" in change:
        content["source"]["object_key"] = change["source"]
    else:
        content |= change
    await world.store.put(key, json.dumps(content).encode(), content_type="application/json")
    await repeat(world, request, renderer)
    assert renderer.renders == 2
    assert ready(world).preset_set == PRESET_SET
    assert ready(world).source.object_key == request.object_key


def test_what_is_no_manifest_is_refused() -> None:
    with pytest.raises(ManifestBroken):
        read_manifest(b'{"version":2}')


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (Refused("too_many_pixels"), "refused", "too_many_pixels"),
        (Exhausted("out_of_memory"), "exhausted", "out_of_memory"),
        (Interrupted(), "interrupted", "shutdown"),
    ],
)
async def test_how_a_render_fails_is_said(error: Exception, kind: str, code: str) -> None:
    world = World()
    settled = await process(world, await world.request(picture()), InProcessRenderer(error))
    (failure,) = world.failures()
    assert (failure.kind, failure.code) == (kind, code)
    assert settled is (kind != "interrupted")


async def test_a_lost_sandbox_makes_the_worker_leave() -> None:
    world = World()
    with pytest.raises(Left):
        await process(world, await world.request(picture()), InProcessRenderer(SandboxUnavailable("gone")))
    assert world.failures()[0].kind == "interrupted"


async def test_bytes_that_are_not_those_declared_are_refused() -> None:
    world = World()
    await process(world, await world.request(picture(), sha256="0" * 64))
    assert world.failures()[0].code == "hash_mismatch"


async def test_an_original_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.variants.job_store._PAUSE_BETWEEN_LOOKS", 0.0)
    world = World()
    await process(world, await world.request(picture(), stored=False))
    assert (world.failures()[0].kind, world.failures()[0].code) == ("refused", "object_missing")


async def test_an_original_that_went_meanwhile_takes_its_variants_with_it() -> None:
    world = World()
    request = await world.request(picture())

    class Purging(InMemoryObjectStore):
        async def head(self, key: str) -> ObjectInfo | None:
            return None if key == request.object_key else await super().head(key)

    original = await world.store.get(request.object_key)
    world.store = Purging()
    await world.store.put(request.object_key, original, content_type="image/jpeg")
    await process(world, request)
    assert world.failures()[0].code == "object_missing"
    assert set(await listed(world.store)) == {request.object_key}


async def test_a_short_read_is_never_rendered() -> None:
    """U15: the store says 200 and gives fewer bytes."""
    world, renderer = World(), InProcessRenderer()
    request = await world.request(picture())
    await process(world, replace(request, size=request.size + 1), renderer)
    assert (world.failures()[0].kind, world.failures()[0].code) == ("unavailable", "original_incomplete")
    assert renderer.renders == 0


class Flaky(InMemoryObjectStore):
    """Fails so many calls; `reachable` tells whether the store as a whole is down."""

    def __init__(self, failures: int, *, whole: bool) -> None:
        super().__init__()
        self.failures, self.whole, self.armed = failures, whole, False

    async def put(self, key: str, data: bytes | memoryview, *, content_type: str) -> str:
        if self.armed and self.failures > 0:
            self.failures -= 1
            raise StoreUnavailable("503")
        return await super().put(key, data, content_type=content_type)

    async def reachable(self) -> bool:
        return not (self.whole and self.failures > 0)


@pytest.mark.parametrize("whole", [False, True])
async def test_a_store_that_fails_for_a_while_fails_nothing(whole: bool) -> None:
    """R12: transient errors are retried in place; while the whole store is down the budget even rests."""
    world, renderer = World(outage_budget=5.0), InProcessRenderer()
    world.store = flaky = Flaky(4, whole=whole)
    request = await world.request(picture())
    flaky.armed = True
    assert await process(world, request, renderer)
    assert ready(world).job_id == request.job_id
    assert renderer.renders == 1


async def test_a_store_that_keeps_failing_ends_the_job_and_leaves_a_dead_letter() -> None:
    world = World(outage_budget=0.3)
    world.store = flaky = Flaky(10_000, whole=False)
    request = await world.request(picture())
    flaky.armed = True
    assert await process(world, request)
    assert (world.failures()[0].kind, world.failures()[0].code) == ("unavailable", "store_unavailable")
    assert len(world.dead_letters.letters) == 1


async def test_an_unknown_preset_set_is_an_outage() -> None:
    world = World()
    await process(world, replace(await world.request(picture()), preset_set="f" * 64))
    assert (world.failures()[0].kind, world.failures()[0].code) == ("unavailable", "presets_unavailable")


async def test_an_unknown_key_is_an_outage() -> None:
    world = World()
    request = await world.request(picture())
    world.keys.forget(OWNER)
    await process(world, request)
    assert (world.failures()[0].kind, world.failures()[0].code) == ("unavailable", "key_unavailable")


async def test_an_erased_key_seals_nothing_and_hides_nothing_else() -> None:
    world = World()
    request = await world.request(picture())
    world.keys.erase(OWNER)
    await process(world, request)
    assert ready(world).sealed_facts is None

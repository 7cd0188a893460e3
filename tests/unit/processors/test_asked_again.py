"""Variants that are asked for again: what stands is said, what does not is made, in a folder of its own."""

from uuid import uuid4

from adapters.object_store import InMemoryObjectStore
from processors.imaging.contract import Encoder
from processors.look_ahead.job_index import JobFact
from schemas.events import (
    Event,
    PresetSetDefined,
    ProcessingStarted,
    UploadCompleted,
    VariantsReady,
    VariantsRequested,
)
from schemas.presets import DEFAULT_PRESETS, preset_set_hash
from tests.unit.processors.renderers import InProcessRenderer, picture
from tests.unit.processors.variants import reactor
from tests.unit.processors.worlds import NOW, World, take

FEWER = DEFAULT_PRESETS[1:]
OTHER_SET = preset_set_hash(FEWER)


def world_with_two_sets() -> World:
    world = World()
    world.presets.apply(
        PresetSetDefined(event_id=uuid4(), occurred_at=NOW, preset_set=OTHER_SET, presets=FEWER)
    )
    return world


async def uploaded(world: World, renderer: InProcessRenderer) -> tuple[UploadCompleted, VariantsReady]:
    asked = await world.request(picture())
    assert await take(reactor(world, renderer), await world.appended(asked))
    return asked, ready(world)


def ready(world: World) -> VariantsReady:
    event = world.said()[-1]
    assert isinstance(event, VariantsReady), event
    return event


def again(upload: UploadCompleted, **changed: object) -> VariantsRequested:
    values: dict[str, object] = {
        "event_id": uuid4(),
        "occurred_at": NOW,
        "asset_id": upload.asset_id,
        "owner_id": upload.owner_id,
        "job_id": uuid4(),
        "lane": "live",
        "reason": "regenerate",
        "object_key": upload.object_key,
        "size": upload.size,
        "sealed_digests": upload.sealed_digests,
        "data_key_id": upload.data_key_id,
        "preset_set": upload.preset_set,
        "manifest_key": None,
    }
    return VariantsRequested(**values | changed)  # type: ignore[arg-type]


async def worked(world: World, asked: VariantsRequested, renderer: InProcessRenderer) -> None:
    assert await take(reactor(world, renderer), await world.appended(asked))


def folder_of(said: VariantsReady) -> str:
    return said.manifest_key.rpartition("/")[0]


async def test_another_preset_set_is_made_beside_the_old_one() -> None:
    world, renderer = world_with_two_sets(), InProcessRenderer()
    upload, first = await uploaded(world, renderer)
    await worked(world, again(upload, reason="presets", preset_set=OTHER_SET), renderer)
    second = ready(world)
    assert {each.name for each in second.variants} == {"medium", "small", "thumbnail"}
    assert folder_of(second) != folder_of(first)
    for variant in (*first.variants, *second.variants):
        assert await world.store.head(variant.object_key) is not None


async def test_a_set_that_stands_is_said_again_and_nothing_is_rendered() -> None:
    world, renderer = world_with_two_sets(), InProcessRenderer()
    upload, first = await uploaded(world, renderer)
    asked = again(upload, reason="presets", manifest_key=first.manifest_key)
    await worked(world, asked, renderer)
    said = ready(world)
    assert renderer.renders == 1
    assert (said.job_id, said.manifest_key, said.variants) == (
        asked.job_id,
        first.manifest_key,
        first.variants,
    )
    assert (said.cost.cpu_ms, said.cost.bytes_written) == (0, 0)


async def test_the_same_set_without_a_manifest_to_name_lies_in_a_folder_of_its_own() -> None:
    """The old folder may be on its way out: whoever writes there could lose what they wrote."""
    world, renderer = World(), InProcessRenderer()
    upload, first = await uploaded(world, renderer)
    await worked(world, again(upload, reason="presets"), renderer)
    assert renderer.renders == 2
    assert folder_of(ready(world)) != folder_of(first)


async def test_a_named_set_that_is_gone_is_made_again() -> None:
    world, renderer = World(), InProcessRenderer()
    upload, first = await uploaded(world, renderer)
    await world.store.delete([first.manifest_key])
    await worked(world, again(upload, reason="presets", manifest_key=first.manifest_key), renderer)
    assert renderer.renders == 2
    assert ready(world).manifest_key != first.manifest_key


async def test_a_regeneration_makes_anew_what_other_programs_made() -> None:
    world, renderer = World(), InProcessRenderer()
    upload, first = await uploaded(world, renderer)
    renderer.encoder = Encoder(pillow="2", codecs="2", resizer="3", simd="4")
    await worked(world, again(upload, manifest_key=first.manifest_key), renderer)
    assert renderer.renders == 2
    assert ready(world).encoder.pillow == "2"


async def test_a_regeneration_by_the_same_programs_says_what_stands() -> None:
    world, renderer = World(), InProcessRenderer()
    upload, first = await uploaded(world, renderer)
    await worked(world, again(upload, manifest_key=first.manifest_key), renderer)
    assert renderer.renders == 1


async def test_a_set_of_another_asset_is_not_said() -> None:
    world, renderer = World(), InProcessRenderer()
    _, others = await uploaded(world, renderer)
    upload, _ = await uploaded(world, renderer)
    await worked(world, again(upload, reason="presets", manifest_key=others.manifest_key), renderer)
    assert renderer.renders == 3
    assert ready(world).source.object_key == upload.object_key


async def test_bytes_other_than_declared_are_refused_again() -> None:
    world, renderer = World(), InProcessRenderer()
    asked = await world.request(picture(), sha256="0" * 64)
    assert await take(reactor(world, renderer), await world.appended(asked))
    await worked(world, again(asked, reason="retry"), renderer)
    assert [failure.code for failure in world.failures()] == ["hash_mismatch", "hash_mismatch"]


async def test_a_second_attempt_finds_what_the_first_one_made() -> None:
    world, renderer = World(), InProcessRenderer()
    upload, _ = await uploaded(world, renderer)
    asked = again(upload, reason="presets")
    await worked(world, asked, renderer)
    made = ready(world)
    world.look_ahead = type(world.look_ahead)()
    record = await world.appended(asked)
    begun = JobFact(offset=record.offset, event="ProcessingStarted", job_id=asked.job_id, attempt=1)
    world.look_ahead.said(record.partition, begun)
    assert await take(reactor(world, renderer), record)
    assert renderer.renders == 2
    assert ready(world).manifest_key == made.manifest_key


async def test_the_bulk_lane_is_passed_by_the_live_worker_and_done_by_its_own() -> None:
    world, renderer = World(), InProcessRenderer()
    upload, first = await uploaded(world, renderer)
    record = await world.appended(again(upload, lane="bulk", manifest_key=first.manifest_key))
    assert await take(reactor(world, renderer), record)
    assert starts(world.said()) == 1
    world.lane = "bulk"
    assert await take(reactor(world, renderer), record)
    assert starts(world.said()) == 2
    assert ready(world).manifest_key == first.manifest_key


async def test_a_deleted_job_is_not_worked_on() -> None:
    world, renderer = World(), InProcessRenderer()
    upload, _ = await uploaded(world, renderer)
    asked = again(upload, reason="presets")
    record = await world.appended(asked)
    world.look_ahead.said(
        record.partition, JobFact(offset=record.offset + 1, event="JobDeleted", job_id=asked.job_id)
    )
    assert await take(reactor(world, renderer), record)
    assert renderer.renders == 1


async def test_what_was_purged_meanwhile_is_taken_back() -> None:
    class Purging(InMemoryObjectStore):
        """Loses the original as soon as a second manifest is written."""

        manifests = 0

        async def put(self, key: str, data: bytes | memoryview, *, content_type: str) -> str:
            etag = await super().put(key, data, content_type=content_type)
            self.manifests += key.endswith("manifest.json")
            if self.manifests == 2:
                await self.delete(
                    [each.key async for each in self.list("assets/") if "/original/" in each.key]
                )
            return etag

    world, renderer = World(store=Purging()), InProcessRenderer()
    upload, first = await uploaded(world, renderer)
    asked = again(upload, reason="presets")
    await worked(world, asked, renderer)
    assert [failure.code for failure in world.failures()] == ["object_missing"]
    left = [info.key async for info in world.store.list("assets/")]
    assert not [key for key in left if asked.job_id.hex in key]
    assert set(left) == {first.manifest_key} | {each.object_key for each in first.variants}


def starts(events: list[Event]) -> int:
    return sum(isinstance(event, ProcessingStarted) for event in events)

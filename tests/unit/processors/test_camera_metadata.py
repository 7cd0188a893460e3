"""Camera metadata: one object beside the original, without its position unless asked, gone with the asset."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from PIL import Image

from adapters.object_store import InMemoryObjectStore
from processors.imaging.plain_json import MAX_METADATA
from processors.purge.removal import remove
from processors.retries import Retries
from schemas.events import AssetPurged, UploadCompleted, VariantsReady
from tests.unit.processors.renderers import InProcessRenderer, picture
from tests.unit.processors.variants import reactor
from tests.unit.processors.worlds import OWNER, World, take

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def photograph(comment: str = "") -> bytes:
    """A picture that says who took it, and where."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Lens & Co", "Model One"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (11.0, 30.0, 0.0)})
    if comment:
        exif.get_ifd(0x8769)[0x9286] = comment
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG", exif=exif)
    return out.getvalue()


async def processed(world: World, request: UploadCompleted, *, keep_position: bool = False) -> None:
    assert await take(
        reactor(world, InProcessRenderer(), keep_position=keep_position), await world.appended(request)
    )


def ready(world: World) -> VariantsReady:
    event = world.said()[-1]
    assert isinstance(event, VariantsReady)
    return event


async def test_it_lies_beside_the_original_without_the_position() -> None:
    world = World()
    request = await world.request(photograph())
    await processed(world, request)
    said = ready(world)
    assert said.metadata_key == f"assets/{request.asset_id}/metadata/nonce1.json"
    kept = json.loads(await world.store.get(said.metadata_key))
    assert kept["exif"]["Model"] == "Model One"
    assert "gps" not in kept
    written = sum([info.size async for info in world.store.list("assets/")]) - request.size
    assert said.cost.bytes_written == written


async def test_the_position_is_kept_where_it_is_asked_for() -> None:
    world = World()
    await processed(world, await world.request(photograph()), keep_position=True)
    kept = json.loads(await world.store.get(str(ready(world).metadata_key)))
    assert kept["gps"]["latitude"] == 48.2083333


async def test_a_picture_that_says_nothing_has_no_such_object() -> None:
    world = World()
    await processed(world, await world.request(picture()))
    assert ready(world).metadata_key is None
    assert not [info async for info in world.store.list(f"assets/{ready(world).asset_id}/metadata/")]


async def test_it_is_bounded_whatever_the_file_holds() -> None:
    world = World()
    await processed(world, await world.request(photograph("long " * 12_000)))
    key = ready(world).metadata_key
    assert key is not None
    assert 0 < len(await world.store.get(key)) <= 4 * MAX_METADATA


async def test_a_repeat_of_the_set_names_it_too() -> None:
    world = World()
    request = await world.request(photograph())
    await processed(world, request)
    first = ready(world).metadata_key
    await processed(world, replace(request, job_id=uuid4(), event_id=uuid4()))
    assert ready(world).metadata_key == first


async def test_it_goes_with_the_asset() -> None:
    world = World()
    request = await world.request(photograph())
    await processed(world, request)
    purged = AssetPurged(
        event_id=uuid4(),
        occurred_at=NOW,
        asset_id=request.asset_id,
        owner_id=OWNER,
        actor_id=OWNER,
        code="permanent",
    )
    await remove(world.store, purged, Retries(budget=1, retried=world.journal.retried))
    assert not [info async for info in world.store.list("assets/")]


class PurgedMeanwhile(InMemoryObjectStore):
    """The original goes as soon as the manifest is written."""

    async def put(self, key: str, data: bytes | memoryview, *, content_type: str) -> str:
        etag = await super().put(key, data, content_type=content_type)
        if key.endswith("manifest.json"):
            await self.delete([each.key async for each in self.list("assets/") if "/original/" in each.key])
        return etag


async def test_it_is_taken_back_where_the_original_is_gone() -> None:
    world = World(store=PurgedMeanwhile())
    await processed(world, await world.request(photograph()))
    assert [failure.code for failure in world.failures()] == ["object_missing"]
    assert not [info async for info in world.store.list("assets/")]

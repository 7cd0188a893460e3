"""A preset in several formats: each file goes by the preset's name and its own content type, once."""

import io
import json
from dataclasses import replace
from uuid import uuid4

import pytest
from PIL import Image

from schemas.events import Preset, PresetSetDefined, VariantsReady
from schemas.presets import preset_set_hash
from tests.unit.processors.renderers import InProcessRenderer, picture
from tests.unit.processors.variants import reactor
from tests.unit.processors.worlds import NOW, World, take


def transparent() -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (64, 48), (0, 128, 128, 90)).save(out, "PNG")
    return out.getvalue()


async def made(original: bytes, *formats: str) -> tuple[World, VariantsReady]:
    """What is said of a picture by a set with one preset in these formats."""
    presets = (Preset(name="small", width=40, height=40, fit="contain", formats=formats, quality=80),)
    name = preset_set_hash(presets)
    world = World()
    world.presets.apply(PresetSetDefined(event_id=uuid4(), occurred_at=NOW, preset_set=name, presets=presets))
    request = replace(await world.request(original), preset_set=name)
    assert await take(reactor(world, InProcessRenderer()), await world.appended(request))
    event = world.said()[-1]
    assert isinstance(event, VariantsReady)
    return world, event


@pytest.mark.parametrize(
    ("original", "formats", "types"),
    [
        (picture(), ("webp", "jpeg"), ["webp", "jpeg"]),
        (picture(), ("avif",), ["avif"]),
        (picture(), ("auto", "jpeg", "webp"), ["jpeg", "webp"]),
        (transparent(), ("auto", "webp"), ["webp"]),
    ],
    ids=["two", "one that is named", "auto is one of them", "transparent"],
)
async def test_each_format_is_one_variant_by_the_presets_name(
    original: bytes, formats: tuple[str, ...], types: list[str]
) -> None:
    world, said = await made(original, *formats)
    assert [(one.name, one.content_type) for one in said.variants] == [
        ("small", f"image/{kind}") for kind in types
    ]
    assert len({one.object_key for one in said.variants}) == len(types)
    for one in said.variants:
        found = await world.store.head(one.object_key)
        assert found is not None
        assert (found.size, found.content_type) == (one.size, one.content_type)
    manifest = json.loads(await world.store.get(said.manifest_key))
    assert [row["object_key"] for row in manifest["variants"]] == [one.object_key for one in said.variants]

"""Real pictures through the sandbox: formats, equal bytes everywhere, refusals, damage (I01 to I07, I12)."""

import asyncio
import hashlib
import os
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from processors.imaging.recipe import DEFAULT_PRESETS, REFUSAL_CODES, Limits
from processors.sandbox import Refused, Rendered, Sandbox
from processors.sandbox.rendered import new_output, sealed_size
from tests.unit.imaging import pictures
from tests.unit.imaging.bombs import BOMBS, FOREIGN

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAMPLES = pictures.samples()
FLIPS = int(os.environ.get("FLIPS", "24"))
EVERYTHING = tuple(replace(preset, formats=("auto", "webp", "avif", "png")) for preset in DEFAULT_PRESETS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(children=2, limits=Limits()) as started:
        yield started


async def render(sandbox: Sandbox, data: bytes, **options: str) -> Rendered:
    return await sandbox.render(data, owner="ada", presets=DEFAULT_PRESETS, **options)


@pytest.mark.parametrize("name", SAMPLES)
async def test_every_format_gives_the_bytes_that_the_recipe_gives(sandbox: Sandbox, name: str) -> None:
    """I01, I12: confined as they are, children write byte for byte what this process writes."""
    here = pictures.render(SAMPLES[name], EVERYTHING)
    with await sandbox.render(SAMPLES[name], owner="ada", presets=EVERYTHING) as rendered:
        assert rendered.source == here.result.source
        assert rendered.facts == here.result.facts
        assert rendered.encoder == sandbox.encoder == here.result.encoder
        assert rendered.variants == here.result.variants
        assert {v.name: bytes(rendered.bytes_of(v)) for v in rendered.variants} == here.files


@pytest.mark.parametrize("name", ["cmyk", "grey", "16 bits", "profile", "exif"])
async def test_other_ways_through_the_recipe_are_allowed_too(sandbox: Sandbox, name: str) -> None:
    """I10: no honest work is killed for a system call."""
    image = pictures.quarters()
    exif = image.getexif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    profile = pictures.adobe_rgb()
    data = {
        "cmyk": lambda: pictures.saved(image.convert("CMYK"), "JPEG", icc_profile=profile),
        "grey": lambda: pictures.saved(image.convert("L"), "JPEG", icc_profile=profile),
        "16 bits": lambda: pictures.saved(image.convert("L").convert("I;16"), "PNG"),
        "profile": lambda: pictures.saved(image, "JPEG", icc_profile=profile),
        "exif": lambda: pictures.saved(image, "WEBP", exif=exif),
    }[name]()
    with await render(sandbox, data) as rendered:
        assert rendered.attempts_in_sandbox == 1
        assert rendered.cost.wall_ms > 0
        assert rendered.cost.peak_rss_kib > 10_000


async def test_refusals_are_the_recipes(sandbox: Sandbox) -> None:
    """I02, I04, I05."""
    for data, code in (*FOREIGN.values(), *BOMBS.values()):
        with pytest.raises(Refused) as caught:
            await render(sandbox, data)
        assert caught.value.code == code


async def test_other_bytes_than_expected(sandbox: Sandbox) -> None:
    data = SAMPLES["jpeg"]
    with pytest.raises(Refused) as caught:
        await render(sandbox, data, expected_sha256="0" * 64)
    assert caught.value.code == "hash_mismatch"
    with await render(sandbox, data, expected_sha256=hashlib.sha256(data).hexdigest()) as rendered:
        assert rendered.facts.sha256 == hashlib.sha256(data).hexdigest()


async def test_too_many_bytes_never_get_to_a_child(sandbox: Sandbox) -> None:
    with pytest.raises(Refused) as caught:
        await render(sandbox, bytes(Limits().max_bytes + 1))
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.timeout(180 + FLIPS)
async def test_flipped_bits(sandbox: Sandbox, name: str) -> None:
    """I07: an outcome for each, and the sandbox works on; FLIPS=1000 for as many files of each kind."""
    chance = random.Random(f"sandbox {name}")
    damaged = []
    for _ in range(FLIPS):
        data = bytearray(SAMPLES[name])
        for _ in range(chance.choice((1, 2, 8))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(data))
    outcomes = await asyncio.gather(*(outcome(sandbox, data) for data in damaged))
    assert set(outcomes) <= REFUSAL_CODES | {"made"}
    assert await outcome(sandbox, SAMPLES[name]) == "made"


async def outcome(sandbox: Sandbox, data: bytes) -> str:
    try:
        with await render(sandbox, data):
            return "made"
    except Refused as refusal:
        return refusal.code


async def test_views_are_the_files_and_cannot_be_changed(sandbox: Sandbox) -> None:
    rendered = await render(sandbox, SAMPLES["jpeg"])
    large = rendered.variants[0]
    view = rendered.bytes_of(large)
    assert view.readonly
    assert hashlib.sha256(view).hexdigest() == large.sha256
    rendered.close()
    # Whoever still holds a view can still read it.
    assert hashlib.sha256(view).hexdigest() == large.sha256


async def test_an_answered_output_is_nobodys_to_change() -> None:
    """A child that was taken over may have kept it."""
    output = new_output()
    os.pwrite(output, b"made", 0)
    assert sealed_size(output) == 4
    for change in (lambda: os.pwrite(output, b"lied", 0), lambda: os.ftruncate(output, 0)):
        with pytest.raises(PermissionError):
            change()
    os.close(output)


async def test_results_are_not_each_others(sandbox: Sandbox) -> None:
    """Kept open while the same children go on working."""
    names = ["jpeg", "png", "webp", "gif"] * 3
    results = [await render(sandbox, SAMPLES[name]) for name in names]
    for name, rendered in zip(names, results, strict=True):
        here = pictures.render(SAMPLES[name])
        assert {v.name: bytes(rendered.bytes_of(v)) for v in rendered.variants} == here.files
        rendered.close()

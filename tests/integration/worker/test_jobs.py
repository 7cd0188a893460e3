"""A worker on real servers: jobs from log to store and back, poison beside them, repeats without effect."""

from dataclasses import replace
from io import BytesIO

from PIL import Image

from adapters.sealing import open_json
from schemas.envelope import read_headers
from schemas.events import VariantsReady
from tests.integration.worker.lab import OWNER, Lab, again, letter_of
from tests.photographs import CAMERA, looks_upright, photograph
from tests.programs import Program


async def test_an_upload_becomes_variants_in_the_store(lab: Lab, worker: Program) -> None:
    """F2 as far as the worker goes: sizes, upright, no metadata left, facts sealed for the owner."""
    request = await lab.upload(photograph(2400, 1600, orientation=6))
    await lab.ended(request)
    assert lab.story(request) == ["started 1", "VariantsReady 1"]
    ready = lab.said(request)[-1]
    assert isinstance(ready, VariantsReady)
    sizes = {variant.name: (variant.width, variant.height) for variant in ready.variants}
    assert sizes == {
        "large": (1920, 1280),
        "medium": (1024, 683),
        "small": (480, 320),
        "thumbnail": (150, 150),
    }
    for variant in ready.variants:
        data = await lab.store.get(variant.object_key)
        image = Image.open(BytesIO(data))
        assert (image.size, len(data)) == ((variant.width, variant.height), variant.size)
        assert not image.getexif()
        assert "icc_profile" not in image.info
        assert variant.name == "thumbnail" or looks_upright(data)
    objects = await lab.objects(request)
    assert set(objects) == lab.named(request, ready)
    assert ready.sealed_facts is not None
    facts = open_json(lab.keys, user_id=OWNER, field="sealed_facts", sealed=ready.sealed_facts)
    assert facts is not None
    assert facts["camera"] == CAMERA


async def test_what_is_said_can_be_followed_by_its_headers(lab: Lab, worker: Program) -> None:
    request = await lab.upload()
    await lab.ended(request)
    mine = [record for record in lab.records() if record.key == str(request.asset_id).encode()]
    asked, started, ready = (read_headers(record.headers) for record in mine)
    for headers in (started, ready):
        assert headers["correlationid"] == asked["correlationid"]
        assert headers["causationid"] == str(request.event_id) == asked["ce_id"]
        assert (headers["jobid"], headers["attempt"], headers["lane"]) == (
            str(request.job_id),
            "1",
            "live",
        )
        assert headers["ce_source"] == "/processors/variants"
        assert headers["traceparent"]
    assert len({record.partition for record in mine}) == 1


async def test_refused_input_is_said_once_with_its_code(lab: Lab, worker: Program) -> None:
    texts = await lab.upload(b"not a picture at all")
    cut = await lab.upload(photograph(640, 480)[:-2000])
    good = await lab.upload()
    await lab.ended(texts, cut, good)
    assert lab.story(texts) == ["started 1", "refused(not_an_image) 1"]
    assert lab.story(cut) == ["started 1", "refused(truncated) 1"]
    assert lab.story(good) == ["started 1", "VariantsReady 1"]
    assert set(await lab.objects(texts)) == {texts.object_key}
    assert not [letter for letter in lab.letters() if letter.key == str(texts.asset_id).encode()]


async def test_poison_is_set_aside_and_later_records_are_worked_on(lab: Lab, worker: Program) -> None:
    """R11: each bad record once in the dead letters, with its place and bytes, and nobody waits for it."""
    request = await lab.request()
    key = str(request.asset_id).encode()
    whole = lab.codec.encode(request)
    poison: dict[str, bytes | None] = {
        "null_value": None,
        "empty_value": b"",
        "wrong_magic": b"\x89PNG\r\n\x1a\n",
        "too_short": b"\0\0",
        "unknown_schema_id": b"\0\x7f\xff\xff\xff" + whole[5:],
        "truncated_value": whole[:-3],
        "trailing_bytes": whole + b"!",
    }
    for value in poison.values():
        lab.append_raw(key, value)
    await lab.append(request)
    await lab.ended(request)
    letters = [letter for letter in lab.letters() if letter.key == key]
    assert {letter_of(letter)["dl-code"]: letter.value for letter in letters} == poison
    assert len(letters) == len(poison)
    placed = {(record.partition, record.offset): record for record in lab.records()}
    for letter in letters:
        headers = letter_of(letter)
        original = placed[int(headers["dl-partition"]), int(headers["dl-offset"])]
        assert (original.key, original.value) == (letter.key, letter.value)
        assert headers["dl-component"] == "variants"


async def test_repeats_of_a_request_change_nothing(lab: Lab, worker: Program) -> None:
    """R09: the same event appended again, before and after its end, and after the notes of it are gone."""
    request = await lab.request()
    for _ in range(3):
        await lab.append(again(request))
    last = await lab.upload()
    await lab.ended(request, last)
    before = await lab.objects(request)
    await lab.append(again(request))
    # A job that only this worker's past knows: it begins to look where the group stands, behind all of it.
    worker.stop()
    await lab.append(again(request))
    worker.restart().wait_ready()
    witness = await lab.upload()
    await lab.ended(witness)
    ready = [event for event in lab.said(request) if isinstance(event, VariantsReady)]
    assert len({event.event_id for event in ready}) == 1
    assert lab.story(request)[:2] == ["started 1", "VariantsReady 1"]
    assert await lab.objects(request) == before


async def test_bulk_work_is_left_to_the_bulk_workers(lab: Lab, worker: Program) -> None:
    bulk = replace(await lab.request(), lane="bulk")
    await lab.append(bulk)
    live = await lab.upload()
    await lab.ended(live)
    assert lab.story(bulk) == []

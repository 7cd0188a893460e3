"""Hostile files through a real worker: each has its end, soon, and the honest ones among them are well."""

import asyncio
import random

import pytest
from PIL import ExifTags, Image

from adapters.sealing import open_json
from schemas.events import ProcessingStarted, UploadCompleted, VariantsReady
from tests.integration.worker.lab import OWNER, Lab
from tests.photographs import photograph
from tests.programs import Program
from tests.unit.imaging.bombs import BOMBS, FOREIGN
from tests.unit.imaging.pictures import quarters, samples, saved

# From the start of an attempt to its end, whatever the file.
LONGEST_SECONDS = 30.0


def damaged() -> dict[str, bytes]:
    """A cut and a bit-flipped file of each kind."""
    chance, files = random.Random("uploads"), dict[str, bytes]()
    for name, data in samples().items():
        files[f"{name} cut"] = data[: len(data) * chance.randrange(20, 95) // 100]
        flipped = bytearray(data)
        for _ in range(8):
            flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        files[f"{name} flipped"] = bytes(flipped)
    return files


@pytest.mark.timeout(300)
async def test_every_file_comes_to_its_end_and_no_worker_with_it(lab: Lab, worker: Program) -> None:
    """I02, I03, U09: refused with the code it deserves or rendered, within 30 s, at the first attempt.

    All are declared to be JPEGs: the worker goes by the bytes.
    """
    pid = worker.pid
    wanted = {name: code for name, (_, code) in (BOMBS | FOREIGN).items() if name != "empty"}
    files = {name: data for name, (data, _) in (BOMBS | FOREIGN).items() if name != "empty"} | damaged()
    requests = await asyncio.gather(*(lab.upload(data) for data in files.values()))
    uploads = dict(zip(files, requests, strict=True))
    honest = [await lab.upload(photograph(640, 480)) for _ in range(3)]
    mistaken = await lab.upload(saved(quarters(), "PNG"))
    await lab.ended(*uploads.values(), *honest, mistaken, seconds=200)
    for name, request in uploads.items():
        started, end = lab.story(request)
        assert started == "started 1", name
        if name in wanted:
            assert end == f"refused({wanted[name]}) 1", name
        else:
            assert end == "VariantsReady 1" or end.startswith("refused("), (name, end)
        assert took(lab, request) < LONGEST_SECONDS, name
    assert [lab.story(request) for request in honest] == [["started 1", "VariantsReady 1"]] * 3
    assert {request.content_type for request in (*uploads.values(), mistaken)} == {"image/jpeg"}
    ready = lab.said(mistaken)[-1]
    assert isinstance(ready, VariantsReady)
    assert ready.source.format == "png"
    assert worker.alive()
    assert worker.pid == pid
    keys = {str(request.asset_id).encode() for request in (*uploads.values(), *honest, mistaken)}
    assert not [letter for letter in lab.letters() if letter.key in keys]


async def test_a_hostile_camera_name_is_harmless_where_it_is_shown(lab: Lab, worker: Program) -> None:
    """I09: no line ends, escapes or turned text in what is sealed for the owner; nothing of it in logs."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Canary\r\nSet-Cookie: a=b", "\x1b[31mred\u202egnp"
    request = await lab.upload(saved(quarters(), "JPEG", exif=exif))
    await lab.ended(request)
    ready = lab.said(request)[-1]
    assert isinstance(ready, VariantsReady)
    assert ready.sealed_facts is not None
    facts = open_json(lab.keys, user_id=OWNER, field="sealed_facts", sealed=ready.sealed_facts)
    assert facts is not None
    camera = facts["camera"]
    assert isinstance(camera, str)
    assert camera.startswith("Canary Set-Cookie: a=b")
    assert camera.isprintable()
    assert "Canary" not in worker.output()
    assert not [record for record in lab.records() if b"Canary" in (record.value or b"")]


def took(lab: Lab, request: UploadCompleted) -> float:
    """Seconds between what the worker said first and last of this job."""
    said = lab.said(request)
    assert isinstance(said[0], ProcessingStarted)
    return (said[-1].occurred_at - said[0].occurred_at).total_seconds()

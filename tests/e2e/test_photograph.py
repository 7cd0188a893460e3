"""One photograph through the whole arrow, by each door, and back to its owner."""

import asyncio
import json
import time
from contextlib import closing
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from adapters.object_store import S3ObjectStore
from adapters.read_store import connect
from adapters.telemetry import Metrics
from ops.__main__ import commands
from ops.variants.choosing import PostgresLibrary, Wanted
from schemas.presets import DEFAULT_PRESETS
from tests.e2e.owner import Stream, send_direct
from tests.e2e.product import Product
from tests.photographs import CAMERA, looks_upright, photograph
from tests.servers import PARTITIONS

SIZES = {"large": (1920, 1280), "medium": (1024, 683), "small": (480, 320), "thumbnail": (150, 150)}
NEVER_IN_A_VARIANT = (
    b"Exif",
    b"http://ns.adobe.com/xap",
    b"ICC_PROFILE",
    b"a secret comment",
    CAMERA.encode(),
)


def assert_four_variants(detail: dict[str, object]) -> None:
    """Right sizes, upright, sRGB without a profile, no metadata; the detail tells true bytes and pixels."""
    variants = detail["variants"]
    assert isinstance(variants, dict)
    assert variants.keys() == {*SIZES, "original"}
    for name, size in SIZES.items():
        variant = variants[name]
        body = httpx.get(variant["url"], timeout=20.0)
        assert body.status_code == 200
        assert body.headers["content-type"] == variant["content_type"] == "image/jpeg"
        assert len(body.content) == variant["size"]
        image = Image.open(BytesIO(body.content))
        assert image.size == size == (variant["width"], variant["height"])
        assert "icc_profile" not in image.info
        assert not [mark for mark in NEVER_IN_A_VARIANT if mark in body.content]
        assert looks_upright(body.content)


def test_a_photograph_by_form_comes_out_in_four_sizes(product: Product) -> None:
    original = photograph(tint=1)
    ada = product.owner("ada")
    accepted = ada.upload_form(original, title="Harbour", tags="sea, boats", description="At noon")
    detail = ada.wait(accepted)
    assert_four_variants(detail)
    assert (detail["title"], detail["tags"], detail["description"]) == (
        "Harbour",
        ["sea", "boats"],
        "At noon",
    )
    assert (detail["camera"], detail["file_name"]) == (CAMERA, "photo.jpg")
    assert detail["taken_at"].startswith("2024-05-17T08:09:10")
    assert detail["thumbhash"]
    assert httpx.get(detail["variants"]["original"]["url"]).content == original


def test_a_photograph_by_presign_direct_upload_and_complete(product: Product) -> None:
    original = photograph(tint=2)
    ada = product.owner("ada")
    granted = ada.presign(original, title="Direct")
    assert send_direct(granted, original).status_code in {200, 201, 204}
    accepted = ada.complete(granted)
    assert accepted["asset_id"] == granted["asset_id"]
    detail = ada.wait(accepted)
    assert_four_variants(detail)
    assert detail["size"] == len(original)


def test_following_the_links_never_meets_a_404(product: Product) -> None:
    ben = product.owner("ben")
    for number in range(5):
        accepted = ben.upload_form(photograph(400, 300, tint=100 + number))
        assert ben.get(accepted["status_url"]).status_code == 200
    codes = {code for _, code in ben.seen}
    assert codes == {200}


def test_only_the_owner_hears_and_sees(product: Product) -> None:
    ada, ben = product.owner("ada"), product.owner("ben")
    with Stream(ada) as hers, Stream(ben) as his:
        accepted = ada.upload_form(photograph(600, 400, tint=3), title="Hers alone")
        theirs = ben.upload_form(photograph(600, 400, tint=4))
        ready = hers.wait_for("asset.ready", accepted["asset_id"])
        his.wait_for("asset.ready", theirs["asset_id"])
    assert ready["title"] == "Hers alone"
    assert accepted["asset_id"] not in {entry["asset_id"] for _, entry in his.entries}
    assert ben.get(f"/v1/assets/{accepted['asset_id']}").status_code == 404
    assert ben.get(f"/v1/jobs/{accepted['job_id']}").status_code == 404
    unknown, foreign = ben.get(f"/v1/assets/{uuid4()}"), ben.get(f"/v1/assets/{accepted['asset_id']}")
    assert {**unknown.json(), "instance": ""} == {**foreign.json(), "instance": ""}


def test_a_cut_stream_resumes_with_nothing_missed_and_nothing_twice(product: Product) -> None:
    ada = product.owner("ada")
    with Stream(ada) as first:
        before = ada.upload_form(photograph(600, 400, tint=5))
        first.wait_for("asset.ready", before["asset_id"])
        first.cut()
    missed = [ada.upload_form(photograph(600, 400, tint=10 + number)) for number in range(3)]
    for accepted in missed:
        ada.wait(accepted)
    with Stream(ada, last_event_id=first.last_id) as second:
        last = ada.upload_form(photograph(600, 400, tint=20))
        second.wait_for("asset.ready", last["asset_id"])
    heard = [(entry["asset_id"], entry["type"]) for _, entry in first.entries + second.entries]
    readies = [asset for asset, kind in heard if kind == "asset.ready"]
    assert sorted(readies) == sorted(a["asset_id"] for a in [before, *missed, last])
    assert len(heard) == len(set(heard))


def test_downloads_and_redirects_reach_the_bytes(product: Product) -> None:
    original = photograph(640, 480, tint=6)
    ada = product.owner("ada")
    detail = ada.wait(ada.upload_form(original, file_name="Zürich – naïve.jpg"))
    path = f"/v1/assets/{detail['id']}"
    moved = ada.get(f"{path}/variants/small")
    assert moved.status_code == 307
    assert Image.open(BytesIO(httpx.get(moved.headers["location"]).content)).size == (480, 360)
    saved = ada.get(f"{path}/download")
    body = httpx.get(saved.headers["location"])
    assert body.content == original
    disposition = body.headers["content-disposition"]
    assert disposition.startswith("attachment")
    assert "filename*=UTF-8''Z%C3%BCrich" in disposition


def verified(product: Product, *words: str, code: int) -> dict[str, Any]:
    """What `ops variants verify` says."""
    done = CliRunner().invoke(
        commands("variants"), ["variants", "verify", *words, "--json"], env=product.world.env
    )
    assert done.exit_code == code, done.output
    said: dict[str, Any] = json.loads(done.stdout)
    return said


async def damage(product: Product, asset_id: str, name: str) -> None:
    """Other bytes in the place of a variant."""
    store = S3ObjectStore(product.world.settings("damage").store, metrics=Metrics().store)
    try:
        keys = [info.key async for info in store.list(f"assets/{asset_id}/variants/")]
        (key,) = [key for key in keys if key.endswith(f"/{name}.jpg")]
        await store.put(key, b"damaged", content_type="image/jpeg")
    finally:
        await store.close()


def picks(product: Product) -> None:
    """Each condition picks by itself, pages hold what is counted, and nothing can be written."""
    with closing(connect(product.world.settings("picks"))) as conn:
        library = PostgresLibrary(conn, page=1)
        ids = [asset_id for page in library.pages(Wanted()) for asset_id in page]
        assert len(set(ids)) == len(ids) == library.how_many(Wanted()) >= 2
        one = library.states(ids)[ids[0]]
        preset_set = one.sets[0].preset_set
        assert library.presets(preset_set) == DEFAULT_PRESETS
        assert 0 < library.how_many(Wanted(owner_id=one.owner_id)) <= len(ids)
        assert library.how_many(Wanted(preset_set=preset_set[:8], status="ready")) == len(ids)
        assert [*library.pages(Wanted(most=1))] == [ids[:1]]
        for nobody in (
            Wanted(owner_id=uuid4()),
            Wanted(preset_set="0" * 12),
            Wanted(status="requested"),
            Wanted(content_type="image/gif"),
        ):
            assert library.how_many(nobody) == 0
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("create table written ()")


def test_i12_variants_are_rendered_again_and_compared(product: Product) -> None:
    ada = product.owner("ada")
    detail, _ = [ada.wait(ada.upload_form(photograph(640, 480, tint=tint))) for tint in (7, 8)]
    picks(product)
    several = verified(product, "--status", "ready", "--format", "jpeg", "--max", "3", code=0)
    assert several["assets"] >= 1
    assert several["outcomes"] == {"equal": several["sets"]}
    assert [encoder["ours"] for encoder in several["encoders"]] == [True]
    asyncio.run(damage(product, detail["id"], "thumbnail"))
    (finding,) = verified(product, detail["id"], code=1)["findings"]
    assert (finding["outcome"], finding["variants"]) == ("object_damaged", ["thumbnail"])


def test_a_refused_upload_fails_with_its_reason(product: Product) -> None:
    ada = product.owner("ada")
    detail = ada.wait(ada.upload_form(b"\xff\xd8\xff\xe0 this is no photograph" * 50), status="failed")
    assert detail["error"]["kind"] == "refused"
    assert detail["error"]["code"] in {"not_an_image", "truncated", "corrupt"}
    job = ada.get(f"/v1/jobs/{detail['job_id']}").json()
    assert (job["state"], job["attempts"]) == ("failed", 1)


def test_an_owner_without_a_key_is_nobody(product: Product) -> None:
    stranger = product.caller("not-a-key")
    answer = stranger.get("/v1/assets")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_health_shows_every_loop_at_the_end_of_its_log(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence anywhere would be seen: once a photograph is through, nobody is behind and nothing is kept."""
    product.owner("ada").wait(product.owner("ada").upload_form(photograph(tint=9)))
    programs = {"api": product.api, "variants": product.worker, "projector": product.projector}
    named = ",".join(f"{name}={program.metrics_url}" for name, program in programs.items())
    monkeypatch.setenv("PROGRAM_URLS", named)
    deadline = time.monotonic() + 60
    while not at_the_end(told := CliRunner().invoke(commands("health"), ["health", "--json"])):
        assert time.monotonic() < deadline, told.output
        time.sleep(0.2)
    loops = {one["name"]: {each["loop"]: each for each in one["loops"]} for one in programs_in(told)}
    followers = {"subject-keys"}
    assert {name: set(each) for name, each in loops.items()} == {
        "api": followers
        | {"activity-tailer", "denial-tail", "held-streams", "key-uses", "position-watch", "preset-sets"},
        "variants": followers | {"worker", "look-ahead", "preset-sets"},
        "projector": followers | {"assets", "identity", "operations", "operators"},
    }
    assert sum(loops["variants"]["worker"]["positions"].values()) > 0


def programs_in(told: Result) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(told.stdout)["programs"]
    return said


def at_the_end(told: Result) -> bool:
    """Whether all is well, worker and projector know all partitions, and no loop has records to read.

    A partition that was not looked at yet has no lag.
    """
    if told.exit_code:
        return False
    loops = [loop for program in programs_in(told) for loop in program["loops"]]
    known = [set(loop["positions"] or ()) for loop in loops if loop["loop"] in {"worker", "assets"}]
    everywhere = {str(number) for number in range(PARTITIONS)}
    return known == [everywhere] * 2 and not any(loop["lag_records"] for loop in loops)

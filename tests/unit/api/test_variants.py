"""Which format a name gives, by what a client says that it accepts."""

from dataclasses import replace
from typing import Final

import pytest

from api.variants import best, largest
from projections.assets.queries import VariantRow
from tests.unit.api.doors import Stage, upload

BROWSER: Final = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


def variant(content_type: str, size: int = 100, side: int = 480) -> VariantRow:
    key = f"assets/x/small.{content_type.partition('/')[2]}"
    return VariantRow(
        name="small", object_key=key, content_type=content_type, width=side, height=side, size=size
    )


JPG, WEBP, AVIF = variant("image/jpeg", 300), variant("image/webp", 200), variant("image/avif", 100)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, JPG),
        ("*/*", JPG),
        ("image/*", JPG),
        ("", JPG),
        (BROWSER, AVIF),
        ("image/webp,*/*", WEBP),
        ("image/webp;q=0.5,image/jpeg;q=0.9", JPG),
        ("image/avif;q=0,image/webp", WEBP),
        ("IMAGE/AVIF", AVIF),
        ("text/html", JPG),
        ("image/avif;q=nonsense", JPG),
        (";;,,q=", JPG),
        ("image/avif;q=0.1,image/jpeg;q=0", AVIF),
    ],
)
@pytest.mark.parametrize("order", [(JPG, WEBP, AVIF), (AVIF, WEBP, JPG)])
def test_what_is_accepted_and_small_is_chosen(
    order: tuple[VariantRow, ...], accept: str | None, wanted: VariantRow
) -> None:
    assert best(order, accept) == wanted


def test_of_one_format_it_is_that_one_and_of_none_nothing() -> None:
    assert best([AVIF], "image/png") == AVIF
    assert best([], BROWSER) is None


async def test_a_picture_in_several_formats_names_them_all(on: Stage) -> None:
    answer, completed = await upload(on)
    await on.worked_on(completed)
    (row,) = on.reads.assets.values()
    big = replace(variant("image/jpeg", 900, 1024), name="large")
    object.__setattr__(row, "variants", (JPG, WEBP, AVIF, big))
    assert largest(row, BROWSER) == big
    path = f"/v1/assets/{answer['asset_id']}"
    shown = (await on.client().get(path)).json()["variants"]["small"]
    assert shown["content_type"] == "image/jpeg"
    assert shown["alternatives"].keys() == {"image/webp", "image/avif"}
    led = await on.client(Accept=BROWSER).get(f"{path}/variants/small")
    assert "small.avif" in led.headers["location"]
    assert led.headers["vary"] == "Accept"
    assert "small.jpeg" in (await on.client().get(f"{path}/variants/small")).headers["location"]

"""The sample photograph: twelve megapixels on their side, with all that a phone adds."""

import io
from functools import cache

from PIL import Image

from ops.sample_photograph import draw
from processors.imaging.recipe import DEFAULT_PRESETS
from tests.unit.imaging.pictures import render


@cache
def drawn() -> bytes:
    return draw()


def test_it_shows_all_that_the_pipeline_does() -> None:
    with Image.open(io.BytesIO(drawn())) as image:
        assert (image.format, image.size) == ("JPEG", (3000, 4000))
    result = render(drawn(), DEFAULT_PRESETS).result
    assert (result.source.width, result.source.height, result.source.orientation) == (4000, 3000, 6)
    assert result.source.profile == "srgb"
    assert result.facts.camera == "Darkroom Sample"
    assert result.facts.taken_at is not None
    assert {"latitude", "longitude"} <= set(result.facts.metadata["gps"])  # type: ignore[call-overload]


def test_it_is_upright_afterwards() -> None:
    """Sky above, dark grass below."""
    small = render(drawn(), DEFAULT_PRESETS[2:3]).image("small").convert("L")
    rows = list(small.resize((1, 10), Image.Resampling.BOX).tobytes())
    assert max(rows[:5]) > 120
    assert rows[-1] < 60


def test_it_has_detail() -> None:
    """As many bytes as a phone would need; a drawing of plain surfaces would flatter every measurement."""
    assert 1_500_000 < len(drawn()) < 4_000_000


def test_it_is_the_same_each_time() -> None:
    assert draw() == drawn()

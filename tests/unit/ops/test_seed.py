"""The pictures of a seed are what its number says, each another, and all can be decoded."""

import io

from PIL import Image

from ops.seed_pictures import Pictures


def scene() -> Image.Image:
    """Something to cut parts from, sooner made than a landscape."""
    return Image.merge(
        "RGB", [Image.linear_gradient("L"), Image.radial_gradient("L"), Image.linear_gradient("L")]
    )


def test_the_same_seed_draws_the_same_and_another_others() -> None:
    first, again, other = (list(Pictures(seed, scene).some(3)) for seed in (1, 1, 2))
    assert first == again
    assert {data for data, _ in first}.isdisjoint(data for data, _ in other)
    assert len({data for data, _ in first}) == 3
    for data, words in first:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            assert min(picture.size) >= 600
        assert words.title
        assert len(words.tags) == 3

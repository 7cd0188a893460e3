"""Files that end early, and files with flipped bits (I06, I07)."""

import random

import numpy as np
import pytest

from processors.imaging.recipe import DEFAULT_PRESETS, REFUSAL_CODES, Refused
from tests.unit.imaging.pictures import Rendering, render, samples

SAMPLES = samples()
LARGE = (DEFAULT_PRESETS[0],)
WHOLE = {name: render(data, LARGE) for name, data in SAMPLES.items()}


def same_pixels(one: Rendering, other: Rendering) -> bool:
    mine, theirs = (np.asarray(rendering.image("large").convert("RGBA")) for rendering in (one, other))
    return mine.shape == theirs.shape and bool((mine == theirs).all())


def rendered_or_refused(data: bytes) -> Rendering | str:
    try:
        return render(data, LARGE)
    except Refused as refusal:
        return refusal.code


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("percent", range(5, 100, 5))
def test_a_cut_file_is_refused(name: str, percent: int) -> None:
    """I06: or it is the very same picture, where only what follows the first frame was cut off."""
    data = SAMPLES[name]
    outcome = rendered_or_refused(data[: len(data) * percent // 100])
    if isinstance(outcome, Rendering):
        assert name == "gif-animated", "behind the other pictures nothing comes that may be missing"
        assert same_pixels(outcome, WHOLE[name])
    else:
        assert outcome in ("truncated", "corrupt", "not_an_image", "unsupported_format")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_last_bytes_only_end_the_file(name: str) -> None:
    """I06: from one byte less on, either refused or not a pixel is different."""
    for missing in range(1, 14):
        outcome = rendered_or_refused(SAMPLES[name][:-missing])
        if isinstance(outcome, Rendering):
            assert same_pixels(outcome, WHOLE[name])
        else:
            assert outcome in ("truncated", "corrupt")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_cut_is_called_one(name: str) -> None:
    data = SAMPLES[name]
    with pytest.raises(Refused) as caught:
        render(data[: len(data) * 2 // 5], LARGE)
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("name", SAMPLES)
def test_flipped_bits_give_a_picture_or_a_refusal(name: str) -> None:
    """I07: nothing but Refused comes out, whatever the decoders raise; the sandbox flips more."""
    chance = random.Random(name)
    for _ in range(30):
        data = bytearray(SAMPLES[name])
        for _ in range(chance.choice((1, 1, 4))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        outcome = rendered_or_refused(bytes(data))
        assert isinstance(outcome, Rendering) or outcome in REFUSAL_CODES

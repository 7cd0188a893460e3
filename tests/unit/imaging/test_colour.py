"""ICC profiles: obeyed, named by a word of ours, and gone from what is made (I08, I13)."""

import io

import pytest
from PIL import Image, ImageCms

from processors.imaging import colour
from processors.imaging.contract import PROFILES
from processors.imaging.recipe import DEFAULT_PRESETS
from tests.unit.imaging.pictures import QUARTERS, alike, corners, quarters, render, saved
from tests.unit.imaging.profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    grey_in_srgb,
    grey_profile,
    in_srgb,
    rgb_profile,
)

LARGE = (DEFAULT_PRESETS[0],)
ADOBE = rgb_profile("Adobe RGB (1998)", ADOBE_RGB)
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_adobe_rgb_becomes_srgb(plugin: str) -> None:
    data = saved(quarters(), plugin, icc_profile=ADOBE, quality=98)
    rendering = render(data, LARGE)
    assert rendering.result.source.profile == "adobe_rgb"
    wanted = [in_srgb(one, ADOBE_RGB) for one in QUARTERS]
    assert not alike(wanted, QUARTERS), "a profile that changes nothing tests nothing"
    assert alike(corners(rendering.image("large")), wanted, 9)
    assert rendering.image("large").info.get("icc_profile") is None


def test_profile_of_a_large_picture_is_obeyed_after_the_resize() -> None:
    data = saved(quarters(4000, 3000), "JPEG", icc_profile=ADOBE)
    wanted = [in_srgb(one, ADOBE_RGB) for one in QUARTERS]
    assert alike(corners(render(data, LARGE).image("large")), wanted, 9)


def test_transparent_pictures_keep_their_alpha() -> None:
    image = quarters(
        colours=[(*one, alpha) for one, alpha in zip(QUARTERS, (255, 255, 128, 255), strict=True)]
    )
    rendering = render(saved(image, "PNG", icc_profile=ADOBE), LARGE)
    wanted = [in_srgb(one, ADOBE_RGB) for one in QUARTERS]
    assert alike(corners(rendering.image("large")), wanted, 10)
    assert rendering.image("large").convert("RGBA").getpixel((50, 90))[3] == pytest.approx(128, abs=3)  # type: ignore[index]


def test_srgb_is_left_alone() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with_profile = render(saved(quarters(), "PNG", icc_profile=profile), LARGE)
    without = render(saved(quarters(), "PNG"), LARGE)
    assert with_profile.result.source.profile == "srgb"
    assert with_profile.files == without.files


def test_only_its_primaries_make_a_profile_srgb() -> None:
    """A name is not enough: the colours of a wrongly named profile are converted all the same."""
    assert colour.named(rgb_profile("sRGB of sorts", ADOBE_RGB)) == "rgb"
    assert colour.named(rgb_profile("sRGB IEC61966-2.1", SRGB)) == "srgb"


def test_display_p3() -> None:
    data = saved(quarters(), "PNG", icc_profile=rgb_profile("Display P3", DISPLAY_P3))
    rendering = render(data, LARGE)
    assert rendering.result.source.profile == "display_p3"
    assert alike(corners(rendering.image("large")), [in_srgb(one, DISPLAY_P3) for one in QUARTERS], 8)


def test_grey_profile() -> None:
    levels = [(level,) * 3 for level in (40, 100, 160, 220)]
    data = saved(quarters(colours=levels).convert("L"), "PNG", icc_profile=grey_profile(1.0))
    rendering = render(data, LARGE)
    assert rendering.result.source.profile == "grey"
    assert rendering.image("large").mode == "L"
    wanted = [(grey_in_srgb(level, 1.0),) * 3 for (level, _, _) in levels]
    assert alike(corners(rendering.image("large")), wanted, 4)


def test_grey_picture_under_an_rgb_profile_stays_grey() -> None:
    levels = [(level,) * 3 for level in (40, 100, 160, 220)]
    profile = rgb_profile("linear", SRGB, gamma=1.0)
    rendering = render(saved(quarters(colours=levels).convert("L"), "PNG", icc_profile=profile), LARGE)
    wanted = [(grey_in_srgb(level, 1.0),) * 3 for (level, _, _) in levels]
    assert rendering.image("large").mode == "L"
    assert alike(corners(rendering.image("large")), wanted, 4)


@pytest.mark.parametrize(
    "profile",
    [b"", b"not a profile", ADOBE[:200], ADOBE[:128] + b"\xff" * 300, grey_profile(2.2), LAB],
    ids=["empty", "text", "cut", "garbled", "of another space", "of a space that files have not"],
)
def test_useless_profiles_are_ignored(profile: bytes) -> None:
    """A picture is worth more than its profile."""
    rendering = render(saved(quarters(), "JPEG", icc_profile=profile), LARGE)
    assert alike(corners(rendering.image("large")), QUARTERS)


def test_the_word_comes_from_a_closed_list() -> None:
    """Free text of strangers does not get into an event."""
    profiles = (ADOBE, rgb_profile("Ann's own <b>", ADOBE_RGB), b"x", LAB, None)
    words = [colour.named(profile) for profile in profiles]
    assert words == ["adobe_rgb", "rgb", "unreadable", "unreadable", None]
    assert {word for word in words if word} <= PROFILES


def test_cmyk_with_an_rgb_profile_is_taken_as_plain_ink() -> None:
    data = saved(quarters().convert("CMYK"), "JPEG", icc_profile=ADOBE)
    plain = corners(Image.open(io.BytesIO(data)).convert("RGB"))
    assert alike(corners(render(data, LARGE).image("large")), plain)

"""References are upright, in sRGB, and cut like the variant that they are compared with."""

from pathlib import Path

from PIL import Image

from tests.bench.references import likeness, reference, upright_srgb
from tests.photographs import GREEN, RED, photograph, quarters


def near(seen: object, colour: tuple[int, int, int]) -> bool:
    return isinstance(seen, tuple) and all(abs(a - b) <= 12 for a, b in zip(seen, colour, strict=True))


def test_a_turned_photograph_stands_upright(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(photograph(600, 400, orientation=6))
    whole = upright_srgb(tmp_path / "a.jpg")
    assert whole.size == (600, 400)
    assert near(whole.getpixel((150, 100)), RED)
    assert near(whole.getpixel((450, 100)), GREEN)


def test_other_proportions_mean_the_centre() -> None:
    # A wide picture whose outer thirds are black: its centre square is all white.
    wide = Image.new("RGB", (900, 300))
    wide.paste("white", (300, 0, 600, 300))
    cut = reference(wide, (100, 100)).crop((3, 0, 97, 100))  # Lanczos rings over the edge itself
    assert cut.getcolors() == [(94 * 100, (255, 255, 255))]


def test_rounded_sides_are_the_whole_picture() -> None:
    wide = Image.new("RGB", (1000, 333))
    wide.paste("white", (0, 0, 4, 333))
    assert near(reference(wide, (480, 159)).getpixel((0, 80)), (255, 255, 255))


def test_a_good_variant_is_told_from_a_bad_one(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(photograph(600, 400))
    made = tmp_path / "made"
    made.mkdir()
    quarters(300, 200).save(made / "good.png")
    quarters(300, 200).rotate(180).save(made / "bad.png")
    found = dict(likeness(tmp_path / "a.jpg", made))
    assert found["good"] > 0.97 > 0.9 > found["bad"]

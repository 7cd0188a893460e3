"""Every numbered requirement has a test that names it, or a line in the guarantees that says why not."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LAST = {"A": 25, "H": 15, "I": 14, "L": 5, "R": 32, "S": 7, "U": 16}
NAMED = re.compile(r"(?<![A-Za-z0-9])([AHILRSU])(\d\d)(?:\s*(?:to|–|-)\s*(?:\1)?(\d\d))?(?!\d)")
IN_A_NAME = re.compile(r"_([ahilrsu])(\d\d)(?=_)")


def numbers(text: str) -> set[str]:
    """The numbers that a text names; I01–I10 and "I01 to I10" name all between."""
    found = {
        f"{letter}{number:02}"
        for letter, first, last in NAMED.findall(text)
        for number in range(int(first), int(last or first) + 1)
    }
    return found | {f"{letter.upper()}{number}" for letter, number in IN_A_NAME.findall(text)}


@cache
def named() -> frozenset[str]:
    """What tests and guarantees name."""
    files = [*(ROOT / "tests").rglob("test_*.py"), ROOT / "docs" / "guarantees.md"]
    return frozenset(
        number for path in files if path != Path(__file__) for number in numbers(path.read_text())
    )


@pytest.mark.parametrize("letter", LAST)
def test_every_requirement_is_shown_or_said_not_to_be(letter: str) -> None:
    wanted = {f"{letter}{number:02}" for number in range(1, LAST[letter] + 1)}
    assert wanted - named() == set()


def test_numbers_are_read_where_they_stand() -> None:
    text = "I01–I03, H02 to H04; L05 (A07) def test_a16_x_h10_y(): XA99 sha256 I120 a0b1"
    assert numbers(text) == {"I01", "I02", "I03", "H02", "H03", "H04", "L05", "A07", "A16", "H10"}

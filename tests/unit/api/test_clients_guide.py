"""The guide for clients tells every problem there is, the limits as they are, and code that is run."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from api.commands.issue_api_key import MOST_KEYS
from api.commands.multipart_start import SIGNED_AT_ONCE
from api.links import MOST_LINKS
from api.problems import CATALOGUE
from api.queries.gallery import DEFAULT_PAGE
from api.queries.listing import LARGEST_PAGE
from api.run_shapes import LARGEST_LIST
from api.words import MAX_TAG_LENGTH, MAX_TAGS

_DOCS: Final = Path(__file__).parents[3] / "docs"
_GUIDE: Final = (_DOCS / "clients.md").read_text()
_EXAMPLES: Final = sorted((_DOCS / "examples").glob("*"))
_LANGUAGES: Final = {"bash": ".sh", "python": ".py", "js": ".mjs"}
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def rows(heading: str, text: str = _GUIDE) -> list[list[str]]:
    """The cells of the tables under a heading, without the tables' own heads."""
    section = re.split(r"^## ", text.split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    kept = [line for line, below in pairwise([*lines, "|"]) if "---" not in line and "|---" not in below]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in kept]


def known_settings() -> dict[str, str]:
    found = re.findall(r"^\| `([A-Z0-9_]+)` \| (\S*)", (_DOCS / "settings.md").read_text(), re.MULTILINE)
    return {name: default.strip("|") for name, default in found}


def test_every_problem_has_its_row_and_no_row_tells_of_another() -> None:
    told = [(kind.strip("`"), int(status)) for kind, status, *_ in rows("Problems")]
    assert len(told) == len(set(told))
    assert set(told) == {(str(kind.type_), kind.status) for kind in CATALOGUE}
    assert all(means and do for _, _, means, do in rows("Problems"))


def test_problems_that_are_named_in_passing_exist() -> None:
    kinds = {str(kind.type_) for kind in CATALOGUE}
    named = re.findall(r"\b(?:4\d\d|503) `([a-z-]+)`", _GUIDE) + re.findall(r"`/problems/([a-z-]+)`", _GUIDE)
    assert len(named) > 5
    assert set(named) <= kinds


def test_the_limits_are_those_of_the_settings() -> None:
    settings = known_settings()
    for _, bound, name in rows("Limits"):
        expected = settings[name.strip("`")] or "off"
        assert bound.removesuffix(" more").strip("`") == expected.strip("`"), name


def test_the_fixed_limits_are_those_of_the_code() -> None:
    (line,) = [line for line in _GUIDE.splitlines() if line.startswith("Fixed: ")]
    for said in (
        f"pages of {DEFAULT_PAGE} where",
        f"assets, {LARGEST_PAGE} at most",
        f"{SIGNED_AT_ONCE} parts signed",
        f"{MAX_TAGS} tags of {MAX_TAG_LENGTH} characters",
        f"{MOST_LINKS} links to an asset",
        f"{MOST_KEYS} API keys",
        f"{LARGEST_LIST} assets named",
    ):
        assert said in line


def test_settings_that_are_named_exist() -> None:
    named = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`", _GUIDE))
    assert named
    assert named <= known_settings().keys()


def test_what_is_shown_is_cut_out_of_what_the_tests_run() -> None:
    blocks = _BLOCK.findall(_GUIDE)
    assert {language for language, _ in blocks} == _LANGUAGES.keys()
    for language, shown in blocks:
        sources = [path.read_text() for path in _EXAMPLES if path.suffix == _LANGUAGES[language]]
        assert any(f"\n{shown}" in source for source in sources), shown


@pytest.mark.parametrize("path", [path for path in _EXAMPLES if path.is_file()], ids=lambda path: path.name)
def test_every_example_is_led_to(path: Path) -> None:
    pages = [_GUIDE, (_DOCS.parent / "README.md").read_text()]
    assert any(f"examples/{path.name}" in page for page in pages)

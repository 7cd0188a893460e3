"""The Pythons that we say we run on are the same wherever they are told."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def _declared() -> tuple[int, int]:
    """The first and the last minor version of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"])
    assert found
    return int(found[1]), int(found[2]) - 1


def test_the_pages_name_the_pythons_of_the_project() -> None:
    first, last = _declared()
    for page in ("README.md", "CONTRIBUTING.md"):
        assert f"Python 3.{first}–3.{last}" in (ROOT / page).read_text(), page


def test_the_set_up_looks_for_each_of_them() -> None:
    first, last = _declared()
    script = (ROOT / "ops/stack/setup.sh").read_text()
    named = [int(minor) for minor in re.findall(r" python3\.(\d+)\b", script)]
    assert named == list(range(last, first - 1, -1))
    assert f"(3, {first}) <= sys.version_info[:2] <= (3, {last})" in script


def test_the_image_runs_on_one_of_them() -> None:
    first, last = _declared()
    minors = {
        int(minor)
        for minor in re.findall(
            r"^FROM python:3\.(\d+)", (ROOT / "ops/docker/Dockerfile").read_text(), re.MULTILINE
        )
    }
    assert len(minors) == 1
    assert first <= minors.pop() <= last


def test_types_are_checked_for_the_first_of_them() -> None:
    """What holds for the oldest Python holds for the others."""
    first, _ = _declared()
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert tool["mypy"]["python_version"] == f"3.{first}"
    assert tool["ruff"]["target-version"] == f"py3{first}"

"""What the documents name is there: files, their sections, commands with options, targets, settings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from ops.__main__ import commands

ROOT = Path(__file__).parents[3]
OUTSIDE = {"node_modules", ".venv", ".darkroom", ".git"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"python -m ops ([^`\n#|(]*)")
TARGET = re.compile(r"(?:^|`)make ([a-z][a-z0-9-]*)", re.MULTILINE)
SETTING = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`")


def documents() -> list[Path]:
    found = [path for path in ROOT.rglob("*.md") if not OUTSIDE & set(path.relative_to(ROOT).parts)]
    return sorted(found)


def named(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """What the pattern finds, with the document in which it stands."""
    for path in documents():
        for found in pattern.findall(path.read_text("utf-8")):
            yield str(path.relative_to(ROOT)), found


def anchors(path: Path) -> set[str]:
    """The sections of a document, as links name them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def wrong_in(words: list[str], command: Any) -> str | None:
    """The first word that is no command or option where it stands; arguments and values are not looked at."""
    while isinstance(command, TyperGroup) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        found = command.commands.get(words[0])
        if found is None:
            return words[0]
        command, words = found, words[1:]
    known = {opt for one in command.params for opt in (*one.opts, *one.secondary_opts)} | {"--help"}
    options = (word.strip("[]").partition("=")[0] for word in words if word.startswith(("--", "[--")))
    return next((option for option in options if option not in known), None)


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    lost = []
    for link in LINK.findall(path.read_text("utf-8")):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            lost.append(link)
    assert not lost


def test_commands_and_their_options_exist() -> None:
    everything = typer.main.get_command(commands())
    wrong = {
        (where, found.strip()): word
        for where, found in named(COMMAND)
        if (word := wrong_in(found.split(), everything)) is not None
    }
    assert not wrong


def test_the_command_line_is_looked_at_closely() -> None:
    everything = typer.main.get_command(commands())
    assert wrong_in(["read-models", "status", "--json"], everything) is None
    assert wrong_in(["read-models", "stauts"], everything) == "stauts"
    assert wrong_in(["read-models", "status", "--jason"], everything) == "--jason"


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"up", "test"} <= targets
    assert not {(where, target) for where, target in named(TARGET) if target not in targets}


def test_settings_that_are_named_are_read_somewhere() -> None:
    code = "\n".join(
        path.read_text("utf-8")
        for suffix in ("*.py", "*.sh", "*.yml", "Makefile")
        for path in ROOT.rglob(suffix)
        if not OUTSIDE & set(path.relative_to(ROOT).parts)
    )
    words = set(re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", code))
    assert not {(where, name) for where, name in named(SETTING) if name not in words}

"""The compose file as tests read it: parsed, with its variables at their defaults."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PATH = ROOT / "docker-compose.yml"
OWN = ("init", "api", "variants", "projector", "purge", "erasures", "housekeeping", "bulk")
SERVERS = ("kafka", "registry", "postgres", "store")

# ${NAME:-default}, the only form that the file uses.
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+):-([^}]*)\}")
_ANY_VARIABLE = re.compile(r"\$(\{[^}]*\}|[A-Za-z_]+)")


def services() -> dict[str, dict[str, Any]]:
    """All services, as they are without a single variable set."""
    parsed = yaml.safe_load(defaulted(PATH.read_text()))
    found: dict[str, dict[str, Any]] = parsed["services"]
    return found


def volumes() -> set[str]:
    """The named volumes that the file declares."""
    return set(yaml.safe_load(PATH.read_text())["volumes"])


def variables(text: str) -> set[str]:
    """The names of all variables in a text."""
    return {match[1] for match in _VARIABLE.finditer(text)}


def defaulted(text: str) -> str:
    """The text with each variable at its default; fails over a variable without one."""
    replaced = _VARIABLE.sub(lambda match: match[2], text)
    assert not _ANY_VARIABLE.search(replaced), _ANY_VARIABLE.findall(replaced)
    return replaced


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """What a service's process finds in its environment."""
    return {name: str(value) for name, value in service["environment"].items()}


def python_commands(service: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The words after `python -m`, for each program that a service of ours runs."""
    command = service["command"]
    lines = command[2].splitlines() if command[:2] == ["sh", "-ec"] else [" ".join(command)]
    for line in lines:
        python, flag, *words = line.split()
        assert (python, flag) == ("python", "-m"), line
        yield tuple(words)

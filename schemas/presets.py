"""Preset sets: the hash that names one, and the set a new installation starts with."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from schemas.events import Preset

DEFAULT_PRESETS: Final = (
    Preset(name="large", width=1920, height=1920, fit="contain", formats=("auto",), quality=80),
    Preset(name="medium", width=1024, height=1024, fit="contain", formats=("auto",), quality=80),
    Preset(name="small", width=480, height=480, fit="contain", formats=("auto",), quality=80),
    Preset(name="thumbnail", width=150, height=150, fit="cover", formats=("auto",), quality=80),
)


def preset_set_hash(presets: Sequence[Preset]) -> str:
    """The name of a preset set: SHA-256 in hex over its presets by name.

    The order in which presets are written down does not matter, that of a preset's formats does.
    """
    ordered = sorted((asdict(preset) for preset in presets), key=lambda preset: str(preset["name"]))
    canonical = json.dumps(ordered, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()

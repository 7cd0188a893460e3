"""Reads named SQL statements out of the .sql files that stand beside the code."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from projections.forms import VIEWS

_ROOT: Final = Path(__file__).parent
_NAME: Final = re.compile(r"^-- name: (?P<name>\w+)$", re.MULTILINE)
_SHOWN: Final = re.compile(r"\blive\.(?=[a-z])")


@cache
def statements(file: str) -> Mapping[str, bytes]:
    """The statements of `file` (its path inside this room), by the name in the line above each.

    What they call `live` is read in this release's own forms (projections.forms.VIEWS), so that no program
    ever meets rows in a form that it does not know.

    Bytes, because that is how psycopg is told that no text of a stranger went into them.
    """
    parts = _NAME.split(_SHOWN.sub(f"{VIEWS}.", (_ROOT / file).read_text()))[1:]
    named = {name: body.strip().encode() for name, body in zip(parts[::2], parts[1::2], strict=True)}
    if len(named) * 2 != len(parts):
        raise ValueError(f"{file} gives a name twice")
    return MappingProxyType(named)

"""The golden files: for each version of each event its Avro bytes in hex, and what they say in JSON.

`python -m tests.golden.files` writes those that are missing and touches none that is there.
"""

import dataclasses
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from schemas.avsc import FOLDER as AVSC_FOLDER
from schemas.catalogue import EventType, by_class
from schemas.codec import Codec
from schemas.events import Event
from tests.golden.examples import EXAMPLES

FOLDER: Final = Path(__file__).parent
DIGESTS: Final = FOLDER / "avsc.sha256"
HEADER: Final = 5
_LINE = 64


def hex_file(row: EventType, version: int) -> Path:
    return FOLDER / row.namespace / f"{row.name}.v{version}.hex"


def json_file(row: EventType, version: int) -> Path:
    return hex_file(row, version).with_suffix(".json")


def golden_bytes(row: EventType, version: int) -> bytes:
    """The Avro bytes, without the header of the wire format."""
    return bytes.fromhex(hex_file(row, version).read_text(encoding="ascii"))


def plain(value: Any) -> Any:
    """An event as JSON has it: ids and times as text, bytes in hex."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case bytes():
            return value.hex()
        case tuple():
            return [plain(item) for item in value]
        case _:
            return value


def avsc_digests() -> dict[str, str]:
    """The SHA-256 of each .avsc file as it stands."""
    return {
        str(path.relative_to(AVSC_FOLDER)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(AVSC_FOLDER.rglob("*.avsc"))
    }


def frozen_digests() -> dict[str, str]:
    """The SHA-256 that each .avsc file had when it was added."""
    lines = (line.split("  ") for line in DIGESTS.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in lines}


def write_missing() -> None:
    codec = Codec.local()
    for event in EXAMPLES:
        _write(by_class()[type(event)], event, codec.encode(event)[HEADER:])
    frozen = {**avsc_digests(), **(frozen_digests() if DIGESTS.exists() else {})}
    DIGESTS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(frozen.items())), "utf-8")


def _write(row: EventType, event: Event, value: bytes) -> None:
    target = hex_file(row, row.newest)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        digits = value.hex()
        lines = (digits[start : start + _LINE] for start in range(0, len(digits), _LINE))
        target.write_text("\n".join(lines) + "\n", "ascii")
        json_file(row, row.newest).write_text(
            json.dumps(plain(event), indent=1, ensure_ascii=False) + "\n", "utf-8"
        )


if __name__ == "__main__":
    write_missing()

"""The .avsc files: read, and reduced to what decides the bytes."""

import json
from functools import cache
from pathlib import Path

from schemas.catalogue import EventType

Schema = dict[str, object] | list[object] | str
"""An Avro schema as JSON."""

FOLDER = Path(__file__).parent / "avro"

_PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_SAYS_NOTHING_ABOUT_BYTES = frozenset({"doc", "logicalType"})


@cache
def avsc_text(row: EventType, version: int) -> str:
    """The .avsc file of one version (from 1) as it stands on disk."""
    return (FOLDER / row.versions[version - 1]).read_text(encoding="utf-8")


@cache
def avsc(row: EventType, version: int) -> dict[str, object]:
    """The schema of one version (from 1). Shared: not to be changed."""
    schema: dict[str, object] = json.loads(avsc_text(row, version))
    return schema


def full_name_of(schema: Schema) -> str:
    """The full name of a record schema; empty where it has none."""
    if not isinstance(schema, dict) or not isinstance(name := schema.get("name"), str):
        return ""
    namespace = schema.get("namespace")
    return f"{namespace}.{name}" if isinstance(namespace, str) and "." not in name else name


def bare(schema: Schema) -> Schema:
    """The same bytes by a plainer schema: no logical types, no docs, primitives by name alone.

    fastavro takes three times as long for a logical type as we do for the conversion (schemas.shapes).
    """
    if isinstance(schema, list):
        return [bare(part) for part in schema]  # type: ignore[arg-type]  # JSON, checked by parsing it
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _SAYS_NOTHING_ABOUT_BYTES}
    kind = kept.get("type")
    if isinstance(kind, str) and kind in _PRIMITIVES and "name" not in kept:
        return kind
    for part in ("type", "items", "values"):
        if isinstance(nested := kept.get(part), dict | list):
            kept[part] = bare(nested)
    if isinstance(fields := kept.get("fields"), list):
        kept["fields"] = [bare(field) for field in fields]
    return kept

"""Whether one version of a schema may follow another: each must be able to read what the other wrote."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.avsc import Schema

_PROMOTIONS: Final = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def objections(older: Schema, newer: Schema) -> list[str]:
    """Why the two versions can't live in one log, as FULL compatibility sees it; empty when they can.

    A logical type is part of a type: milliseconds read as microseconds resolve well and say nonsense.
    """
    backward = [f"new programs can't read old records: {why}" for why in _unreadable(older, newer, "")]
    forward = [f"old programs can't read new records: {why}" for why in _unreadable(newer, older, "")]
    return backward + forward


def _unreadable(written: Any, wanted: Any, path: str) -> Iterator[str]:  # noqa: ANN401  # any schema
    """Why data of `written` can't be read as `wanted`."""
    if isinstance(written, list):
        for branch in written:
            yield from _unreadable(branch, wanted, path)
    elif isinstance(wanted, list):
        if all(list(_unreadable(written, branch, path)) for branch in wanted):
            yield f"{path or 'it'} may now be {_kind(written)}"
    elif _kind(written) != _kind(wanted):
        if _kind(wanted) not in _PROMOTIONS.get(_kind(written), set()):
            yield f"{path or 'it'} is {_kind(written)} in one and {_kind(wanted)} in the other"
    else:
        yield from _unreadable_parts(written, wanted, path)


def _unreadable_parts(written: Any, wanted: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    match _kind(written):
        case "record":
            yield from _unreadable_record(written, wanted, path)
        case "array":
            yield from _unreadable(written["items"], wanted["items"], f"{path}[]")
        case "map":
            yield from _unreadable(written["values"], wanted["values"], f"{path}{{}}")
        case "enum":
            lost = set(written["symbols"]) - set(wanted["symbols"])
            if lost and "default" not in wanted:
                yield f"{path} loses {', '.join(sorted(lost))}"
        case "fixed" if written["size"] != wanted["size"]:
            yield f"{path} changes its size"
        case _:
            return


def _unreadable_record(written: Any, wanted: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    if written["name"].rpartition(".")[2] != wanted["name"].rpartition(".")[2]:
        yield f"{path or 'it'} is {written['name']} in one and {wanted['name']} in the other"
        return
    known = {field["name"]: field["type"] for field in written["fields"]}
    for field in wanted["fields"]:
        name = f"{path}.{field['name']}" if path else field["name"]
        if field["name"] in known:
            yield from _unreadable(known[field["name"]], field["type"], name)
        elif "default" not in field:
            yield f"{name} is missing in one and has no default in the other"


def _kind(schema: Any) -> str:  # noqa: ANN401
    if isinstance(schema, list):
        return "a union"
    if not isinstance(schema, dict):
        return str(schema)
    logical = schema.get("logicalType")
    return f"{schema['type']} ({logical})" if logical else str(schema["type"])

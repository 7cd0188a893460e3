"""Old versions of events made new when they are read: one pure function a step, named `x_v1_to_v2`.

Where no function is listed for a step, the fields that are new in it take their defaults, as Avro would have
it. A function is needed only where an old event says something that a default would lose.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from schemas.avsc import Schema

Plain = dict[str, Any]
Upcaster = Callable[[Plain], Plain]

UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = MappingProxyType({})
"""By full name and the version that the function starts from. Nothing has changed since version 1 yet."""


def upcast(
    full_name: str,
    version: int,
    values: Plain,
    *,
    versions: Sequence[Schema],
    upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
) -> Plain:
    """`values` of a `version` (from 1) as the newest of `versions` would have said them."""
    for step in range(version, len(versions)):
        if (one_step := upcasters.get((full_name, step))) is not None:
            values = one_step(values)
        values = with_defaults(values, versions[step])
    return values


def with_defaults(values: Any, schema: Schema) -> Any:  # noqa: ANN401  # any Avro value, whatever its schema
    """`values` with each field that it lacks at its default, and without those that `schema` has not."""
    if isinstance(schema, list) or not isinstance(schema, dict) or values is None:
        return values
    match schema.get("type"):
        case "record":
            return {field["name"]: _field(values, field) for field in _fields(schema)}
        case "array":
            return [with_defaults(item, _part(schema, "items")) for item in values]
        case dict() as nested:
            return with_defaults(values, nested)
        case _:
            return values


def _field(values: Plain, field: dict[str, Any]) -> Any:  # noqa: ANN401  # as above
    if field["name"] not in values:
        return field["default"]
    return with_defaults(values[field["name"]], field["type"])


def _fields(schema: dict[str, object]) -> list[dict[str, Any]]:
    fields = schema["fields"]
    assert isinstance(fields, list)  # noqa: S101  # our own .avsc files, parsed before they come here
    return fields


def _part(schema: dict[str, object], name: str) -> Schema:
    part = schema[name]
    assert isinstance(part, dict | list | str)  # noqa: S101  # as above
    return part

"""A slow, suspicious walk over Avro bytes: where they end too early, go on too long, or claim too much.

fastavro reads an array of a billion nulls as told, takes bytes after the last field for granted and reports
most faults as an index error. The codec walks before it reads what may be dangerous, and after a failure to
learn why.
"""

from typing import Any, Final

from schemas.decode_errors import ArrayBomb, InvalidValue, TrailingBytes, TruncatedValue

MAX_ITEMS: Final = 1_000
"""No event has an array longer than this, all blocks together."""

_MAX_DEPTH = 32
_LONGEST_NUMBER = 10

_FIXED_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}


def walk(schema: Any, value: bytes, start: int) -> None:  # noqa: ANN401  # a schema as fastavro parsed it
    """Nothing when `value[start:]` holds exactly one datum of `schema`, else the error that says why not.

    `schema` is bare JSON or what fastavro's parse_schema made of it. Texts are not looked into.
    """
    named: dict[str, Any] = {}
    _collect(schema, named)
    end = _skip(schema, value, start, named, 0)
    if end < len(value):
        raise TrailingBytes(f"{len(value) - end} bytes")


def _collect(schema: Any, named: dict[str, Any]) -> None:  # noqa: ANN401
    if isinstance(schema, list):
        for branch in schema:
            _collect(branch, named)
    elif isinstance(schema, dict):
        if "name" in schema:
            named[schema["name"]] = schema
        for part in ("type", "items", "values"):
            _collect(schema.get(part), named)
        for field in schema.get("fields", ()):
            _collect(field["type"], named)


def _skip(schema: Any, value: bytes, at: int, named: dict[str, Any], depth: int) -> int:  # noqa: ANN401
    if depth > _MAX_DEPTH:
        raise InvalidValue("nested too deeply")
    if isinstance(schema, list):
        return _skip_union(schema, value, at, named, depth)
    kind = schema["type"] if isinstance(schema, dict) else schema
    match kind:
        case "null" | "boolean" | "float" | "double" | "int" | "long" | "enum" | "bytes" | "string" | "fixed":
            return _skip_leaf(kind, schema, value, at)
        case "array" | "map":
            return _skip_blocks(schema, value, at, named, depth)
        case "record":
            for field in schema["fields"]:
                at = _skip(field["type"], value, at, named, depth + 1)
            return at
        case str():
            return _skip(named[kind], value, at, named, depth + 1)
        case _:
            return _skip(kind, value, at, named, depth + 1)


def _skip_leaf(kind: str, schema: Any, value: bytes, at: int) -> int:  # noqa: ANN401
    match kind:
        case "int" | "long" | "enum":
            return _number(value, at)[1]
        case "bytes" | "string":
            return _skip_sized(value, at)
        case "fixed":
            return _bounded(value, at + int(schema["size"]))
        case _:
            return _bounded(value, at + _FIXED_SIZES[kind])


def _skip_union(branches: list[Any], value: bytes, at: int, named: dict[str, Any], depth: int) -> int:
    index, at = _number(value, at)
    if not 0 <= index < len(branches):
        raise InvalidValue("no such branch")
    return _skip(branches[index], value, at, named, depth + 1)


def _skip_sized(value: bytes, at: int) -> int:
    size, at = _number(value, at)
    if size < 0:
        raise InvalidValue("negative length")
    return _bounded(value, at + size)


def _skip_blocks(schema: dict[str, Any], value: bytes, at: int, named: dict[str, Any], depth: int) -> int:
    total = 0
    while True:
        count, at = _number(value, at)
        if count < 0:
            count, (_, at) = -count, _number(value, at)
        total += count
        if total > MAX_ITEMS:
            raise ArrayBomb(f"more than {MAX_ITEMS} items")
        if count == 0:
            return at
        for _ in range(count):
            if schema["type"] == "map":
                at = _skip_sized(value, at)
            at = _skip(
                schema["items" if schema["type"] == "array" else "values"], value, at, named, depth + 1
            )


def _number(value: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    for index in range(at, at + _LONGEST_NUMBER):
        if index >= len(value):
            raise TruncatedValue
        byte = value[index]
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return (number >> 1) ^ -(number & 1), index + 1
    raise InvalidValue("a number of more than 64 bits")


def _bounded(value: bytes, end: int) -> int:
    if end > len(value):
        raise TruncatedValue
    return end

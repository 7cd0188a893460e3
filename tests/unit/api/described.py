"""Every operation as the description has it, and a request for it with one place left to fill."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from ops.docs_openapi import described

SOME_ID: Final = str(UUID(int=0x0199_A8E4_7C1D_7B6E_9F00_2F5A_6F1F_8E11))
JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    statuses: frozenset[int]
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def sample(self) -> dict[str, Any]:
        """A body such as the schema's examples make one; its semantics may be nonsense."""
        made = sample_of(self.body or {})
        assert isinstance(made, dict), self.name
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to send."""

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, bytes] = field(default_factory=dict)
    content: bytes | None = None


@cache
def document() -> dict[str, Any]:
    """The description."""
    made: dict[str, Any] = json.loads(described())
    return made


@cache
def operations() -> tuple[Operation, ...]:
    """All of them, live streams apart: those have no end to wait for."""
    return tuple(
        Operation(
            method=method.upper(),
            path=path,
            statuses=frozenset(int(status) for status in operation["responses"]),
            parameters=tuple(operation.get("parameters", ())),
            body=operation.get("requestBody", {}).get("content", {}).get(JSON_TYPE, {}).get("schema"),
        )
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if path != "/v1/notifications/stream"
    )


def request_for(
    operation: Operation, *, content: bytes | None = None, place: str = "", name: str = "", text: str = ""
) -> Asked:
    """The operation asked with `text` as its parameter `name` in `place` (path, query, header)."""
    path, params, headers = operation.path, {}, {}
    for parameter in operation.parameters:
        mine = (parameter["in"], parameter["name"]) == (place, name)
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", quote(text, safe="") if mine else SOME_ID)
        elif mine and place == "query":
            params[name] = text
        elif mine and place == "header":
            headers[name] = text.encode("utf-8", "surrogatepass")
    if operation.body is not None:
        headers["content-type"] = JSON_TYPE.encode()
        content = json.dumps(operation.sample()).encode() if content is None else content
    return Asked(method=operation.method, path=path, params=params, headers=headers, content=content)


def sample_of(schema: Mapping[str, Any]) -> Any:
    """Some value of a schema."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return sample_of(schema["anyOf"][0])
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    match schema.get("type"):
        case "object":
            return {name: sample_of(inner) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return [sample_of(schema["items"])]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return {"uuid": SOME_ID, "date-time": "2030-01-01T00:00:00Z"}.get(
                schema.get("format", ""), "text"
            )


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference leads to."""
    while "$ref" in schema:
        found: Any = document()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def holes(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in a body something stands that can be replaced, leaves and branches alike."""
    if path:
        yield path
    match value:
        case dict():
            for name, inner in value.items():
                yield from holes(inner, (*path, name))
        case list():
            for number, inner in enumerate(value):
                yield from holes(inner, (*path, number))


def filled(value: Any, path: tuple[str | int, ...], instead: Any) -> Any:
    """The body with something else at one place."""
    if not path:
        return instead
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = filled(value[path[0]], path[1:], instead)
    return copy

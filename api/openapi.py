"""Describes the doors: problem answers, bodies that we read ourselves, and the document as a whole."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api import problems as catalogue
from api.access import entering
from api.caller import Need

Json = dict[str, Any]

_PROBLEM_TYPE: Final = "application/problem+json"
_SCHEMAS: Final = "#/components/schemas/"
_RETRIED: Final = frozenset({"429", "503"})
_SUCCESS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"201": ("Darkroom-Position", "Location"), "202": ("Darkroom-Position",), "307": ("Location",)}
)
_HEADERS: Final[Json] = {
    "X-Request-Id": {"schema": {"type": "string", "format": "uuid"}, "description": "Name it in questions."},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."},
    "Location": {"schema": {"type": "string"}},
    "Darkroom-Position": {
        "schema": {"type": "string"},
        "description": "Where the write stands in the log; reads that are given it have caught up with it.",
    },
}
_FORM: Final[Json] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, GIF or AVIF."},
        "title": {"type": "string", "maxLength": 200},
        "description": {"type": "string", "maxLength": 5000},
        "tags": {"type": "string", "description": "With commas between them.", "examples": ["sea, boats"]},
    },
}
_PROBLEM: Final[Json] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Stable; compare this, not the title."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "limit": {"type": "integer", "description": "With too-large: the most bytes there may be."},
        "scope": {"type": "string", "description": "With scope-missing: the scope that is needed."},
        "idempotency_key": {"type": "string", "description": "With pending: the key to repeat it with."},
        "errors": {
            "type": "array",
            "description": "With invalid-request: where, and why.",
            "items": {
                "type": "object",
                "required": ["location", "message"],
                "properties": {"location": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def problems(*statuses: int) -> dict[int | str, Json]:
    """The `responses` of a route: a problem for each status, with an example of each type it may have."""
    return {status: _answer(status) for status in statuses}


def _answer(status: int) -> Json:
    kinds = [kind for kind in catalogue.CATALOGUE if kind.status == status]
    examples = {
        str(kind.type_): {"value": catalogue.problem_body(kind(), instance="/v1/…")} for kind in kinds
    }
    schema = {"$ref": _SCHEMAS + "Problem"}
    return {
        "description": " ".join(kind.title for kind in kinds),
        "content": {_PROBLEM_TYPE: {"schema": schema, "examples": examples}},
    }


# Whatever the route: bytes that are no request, too many of them, a fault of ours.
_ANYWHERE: Final[Json] = {str(status): _answer(status) for status in (400, 429, 500)}


def json_request(model: type[BaseModel], need: Need | None, *, required: bool = True) -> Json:
    """The request body of a route that reads its JSON by `api.bodies`; no need means open to strangers."""
    schema = {"$ref": _SCHEMAS + model.__name__}
    return _with_body("application/json", schema, need, required=required)


def form_request() -> Json:
    """The request body of the route that streams its form."""
    return _with_body("multipart/form-data", _FORM, "assets:write", required=True)


def _with_body(media_type: str, schema: Json, need: Need | None, *, required: bool) -> Json:
    security = entering(need) if need is not None else {}
    return {**security, "requestBody": {"required": required, "content": {media_type: {"schema": schema}}}}


def describe(
    app: FastAPI, *, bodies: tuple[type[BaseModel], ...], paths: Mapping[str, Json]
) -> Callable[[], Json]:
    """Gives the app's document, made once: FastAPI's own, with our bodies, problems and `paths`."""

    def document() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, bodies, paths)
        return app.openapi_schema

    return document


def _document(app: FastAPI, bodies: tuple[type[BaseModel], ...], paths: Mapping[str, Json]) -> Json:
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        license_info=app.license_info,
    )
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    # FastAPI's own shapes of a validation error are never sent.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    for model in bodies:
        schemas[model.__name__] = model.model_json_schema(ref_template=_SCHEMAS + "{model}")
    made["paths"] |= deepcopy(dict(paths))
    shared = components.setdefault("responses", {})
    for path in made["paths"].values():
        for operation in path.values():
            operation["responses"] = _answers(operation["responses"], shared)
    components["headers"] = _HEADERS
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key as a bearer token."}
    }
    return made


def _answers(answers: Json, shared: Json) -> Json:
    """A route's answers with their headers; problems stand once, among the components."""
    said: Json = {}
    for status, answer in {**answers, **_ANYWHERE}.items():
        if _PROBLEM_TYPE in answer.get("content", {}) or "HTTPValidationError" in str(answer):
            names = ("X-Request-Id", "Retry-After") if status in _RETRIED else ("X-Request-Id",)
            shared[f"Problem{status}"] = {**_answer(int(status)), "headers": _named(*names)}
            said[status] = {"$ref": f"#/components/responses/Problem{status}"}
        else:
            said[status] = {**answer, "headers": _named("X-Request-Id", *_SUCCESS.get(status, ()))}
    return dict(sorted(said.items()))


def _named(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}

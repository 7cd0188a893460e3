"""Turns what goes wrong into problems, in one place: our own, FastAPI's, and the outside world's."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from fastapi_problem.error import Problem, StatusProblem
from fastapi_problem.handler import new_exception_handler
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from adapters.event_log import LogUnavailable, OutcomeUnknown, RecordTooLarge
from adapters.object_store import StoreRefused, StoreUnavailable
from adapters.subject_keys import KeyTrouble
from adapters.telemetry.metrics import HttpMetrics
from api import problems
from api.bodies import said
from api.own_paths import Closed, fitting, methods_of

# What the outside world can do to us, and what it means to the caller.
OUTSIDE: Final[Mapping[type[Exception], type[StatusProblem]]] = MappingProxyType(
    {
        LogUnavailable: problems.LogDown,
        OutcomeUnknown: problems.OutcomeOpen,
        RecordTooLarge: problems.TooLarge,
        StoreUnavailable: problems.StoreDown,
        StoreRefused: problems.StoreDown,
        KeyTrouble: problems.Unavailable,
        psycopg.OperationalError: problems.ReadStoreDown,
        # The tables of the read models are not there yet: a first start, or a database made anew.
        psycopg.errors.UndefinedTable: problems.ReadStoreDown,
        psycopg.errors.InvalidSchemaName: problems.ReadStoreDown,
        ClientDisconnect: problems.MalformedRequest,
    }
)
_BY_STATUS: Final[Mapping[int, type[StatusProblem]]] = MappingProxyType(
    {
        404: problems.NotFound,
        405: problems.MethodNotAllowed,
        413: problems.TooLarge,
        415: problems.UnsupportedMediaType,
    }
)

log = structlog.get_logger("api.problems")


def install(app: FastAPI, metrics: HttpMetrics) -> None:
    """From here on every error that leaves the app is a problem."""
    marshal = new_exception_handler(documentation_uri_template=problems.TYPE_PREFIX + "{type}")

    async def render(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        if isinstance(problem, problems.MethodNotAllowed):
            problem = problems.MethodNotAllowed(headers={"Allow": allowed(app, request.url.path)})
        metrics.problems.of(problem.type).inc()
        problem.extras["instance"] = request.url.path
        return marshal(request, problem)

    for kind in (Problem, HTTPException, RequestValidationError, Exception, *OUTSIDE):
        app.add_exception_handler(kind, render)


def allowed(app: FastAPI, path: str) -> str:
    """The methods that a path takes, by all of its routes: the router tells those of the first alone.

    A path that is a route of its own (`/v1/jobs/stats`) is no id that another route takes in its place.
    """
    doors = (context.original_route for context in iter_route_contexts(app.routes))
    matched = fitting(path, (route for route in doors if not isinstance(route, Closed)))
    own = [route for route in matched if getattr(route, "path", None) == path] or matched
    return ", ".join(sorted(methods_of(own)))


def as_problem(error: Exception) -> Problem:
    """What the caller is told; nothing of an unexpected error's own text ever is."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return problems.Invalid(errors=[said(detail) for detail in error.errors()])
        case HTTPException():
            kind = _BY_STATUS.get(error.status_code, problems.MalformedRequest)
            return kind(headers=dict(error.headers or {}))
        case _:
            return _from_outside(error)


def _from_outside(error: Exception) -> Problem:
    for kind, problem in OUTSIDE.items():
        if isinstance(error, kind):
            why = {"code": error.code} if isinstance(error, StoreRefused) and error.code else {}
            log.warning("outside_failed", error=type(error).__name__, problem=problem.type_, **why)
            return problem()
    return problems.Internal()

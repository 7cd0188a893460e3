"""A path that is a route of its own is no id: its other methods meet 405, not the door that takes ids."""

from collections.abc import Collection, Iterable

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route


class Closed(Route):
    """Says 405 to methods that no door takes at a path of its own."""


def fitting(path: str, routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """The routes that the path fits, whatever methods they take."""
    scope = {"type": "http", "path": path, "method": "", "root_path": "", "headers": []}
    return [route for route in routes if route.matches(scope)[0] is not Match.NONE]


def methods_of(routes: Iterable[BaseRoute]) -> set[str]:
    """All methods that these routes take."""
    return {method for route in routes for method in getattr(route, "methods", None) or ()}


def close_to_others(app: FastAPI) -> None:
    """From here on `DELETE /v1/jobs/stats` is refused, though `DELETE /v1/jobs/{job_id}` is a door.

    The router would take the first door whose pattern and method both fit, whatever path says it better. Call
    it when every route is in place.
    """
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    patterns = [route for route in routes if isinstance(route, Route) and "{" in route.path]
    own: dict[str, set[str]] = {}
    for route in routes:
        if isinstance(route, Route) and "{" not in route.path:
            own.setdefault(route.path, set()).update(route.methods or ())
    closed = [
        Closed(path, _refuse, methods=sorted(others), include_in_schema=False)
        for path, methods in own.items()
        if (others := methods_of(fitting(path, patterns)) - methods)
    ]
    app.router.routes[:0] = closed


def ask_first(app: FastAPI, routers: Collection[APIRouter]) -> None:
    """From here on the router tries these before all others, but for the refusals of `close_to_others`.

    It tries one after the other, and the twentieth costs a write a seventh of its time. Theirs have to be
    paths that no other router's pattern fits, or the order of ROUTES would not hold.
    """

    def turn(route: BaseRoute) -> int:
        if isinstance(route, Closed):
            return 0
        return 1 if getattr(route, "original_router", None) in routers else 2

    app.router.routes.sort(key=turn)


async def _refuse(_: Request) -> Response:
    raise HTTPException(405)

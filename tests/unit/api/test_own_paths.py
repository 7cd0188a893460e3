"""The order in which doors are tried is for speed alone: each path is answered by the door meant for it."""

from uuid import UUID

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Match

from api.app import BUSY, described_app
from api.commands import request_upload
from api.own_paths import Closed, ask_first

ID = str(UUID(int=7))


def scope_of(method: str, path: str) -> dict[str, object]:
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}


def tried(app: FastAPI, method: str, path: str) -> list[object]:
    """What is looked at for this request, up to what takes it."""
    passed: list[object] = []
    for route in app.router.routes:
        passed.append(kind_of(route))
        if route.matches(scope_of(method, path))[0] is Match.FULL:
            return passed
    return []


def kind_of(route: BaseRoute) -> object:
    if isinstance(route, Closed):
        return Closed
    return getattr(route, "original_router", getattr(route, "path", ""))


def test_whoever_is_asked_first_takes_nobody_elses_paths() -> None:
    as_written, busy_first = described_app(), described_app()
    ask_first(busy_first, [module.router for module in BUSY])
    routes = [context.original_route for context in iter_route_contexts(as_written.routes)]
    asked = {
        (method, getattr(route, "path", "/").replace("{asset_id}", ID))
        for route in routes
        for method in ("GET", "POST", "PATCH", "DELETE")
    }
    assert len(asked) > 100
    for method, path in sorted(asked):
        assert tried(as_written, method, path)[-1:] == tried(busy_first, method, path)[-1:], (method, path)


def test_a_write_that_is_asked_for_often_is_found_soon() -> None:
    app = described_app()
    path = ("POST", request_upload.ROUTE)
    before = len(tried(app, *path))
    ask_first(app, [module.router for module in BUSY])
    passed = tried(app, *path)
    assert passed[-1] is request_upload.router
    assert len([each for each in passed if each is not Closed]) <= len(BUSY) < before

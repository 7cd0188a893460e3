"""The pages that show the description of the API: Swagger UI and ReDoc, with all of their files from here."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.problems import CATALOGUE, TYPE_PREFIX, NotFound, problem_body
from api.security_headers import PAGE_POLICY

DESCRIPTION: Final = "/openapi.json"

# Scripts stand in files of their own, so that the policy can forbid inline ones.
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/favicon.png">
{head}
</head>
<body>
{body}
</body>
</html>
"""
_SWAGGER: Final = _PAGE.format(
    title="Darkroom · API",
    head='<link rel="stylesheet" href="/docs/swagger-ui.css">',
    body='<div id="swagger-ui"></div>\n<script src="/docs/swagger-ui-bundle.js"></script>\n'
    '<script src="/docs/start.js"></script>',
)
_START: Final = f"""SwaggerUIBundle({{
  url: "{DESCRIPTION}",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
}});
"""
_REDOC: Final = _PAGE.format(
    title="Darkroom · API reference",
    head="",
    body=f'<redoc spec-url="{DESCRIPTION}" disable-search></redoc>\n<script src="/docs/redoc.js"></script>',
)
_SHIPPED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "/docs/swagger-ui-bundle.js": ("swagger-ui-bundle.js", "text/javascript"),
        "/docs/swagger-ui.css": ("swagger-ui.css", "text/css"),
        "/docs/redoc.js": ("redoc.standalone.js", "text/javascript"),
        "/docs/favicon.png": ("favicon.png", "image/png"),
    }
)


def routes() -> list[Route]:
    """The pages, their files, and a word about each type of problem."""
    return [
        Route("/docs", _swagger),
        Route("/docs/start.js", _start),
        Route("/redoc", _redoc),
        *(Route(path, _shipped) for path in _SHIPPED),
        Route(TYPE_PREFIX + "{type}", _problem),
    ]


async def _swagger(_: Request) -> Response:
    return _html(_SWAGGER)


async def _redoc(_: Request) -> Response:
    return _html(_REDOC)


async def _start(_: Request) -> Response:
    return Response(_START, media_type="text/javascript")


async def _shipped(request: Request) -> Response:
    name, media_type = _SHIPPED[request.url.path]
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=86400"})


async def _problem(request: Request) -> Response:
    """What a problem's type means, for whoever follows it."""
    for kind in CATALOGUE:
        if kind.type_ == request.path_params["type"]:
            said = problem_body(kind(), instance=request.url.path)
            lines = (f"{said['type']} · {said['status']}", said["title"], kind.__doc__ or "")
            return Response("\n\n".join(lines) + "\n", media_type="text/plain")
    raise NotFound


def _html(page: str) -> Response:
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY})

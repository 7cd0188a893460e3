"""The outermost layer of every request: its ids, its host, the headers of its answer, its line in the log."""

import json
import time
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from fastapi_problem.error import StatusProblem
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from adapters.clock import new_id
from adapters.telemetry import continued
from api import origin
from api.cors import Cors
from api.lasting import left
from api.limits.doors import admit_stranger
from api.limits.networks import network_of, pseudonym
from api.parts import Parts
from api.problems import Internal, TooManyRequests, UnknownHost, problem_body
from api.security_events import say
from api.security_headers import Headers

# Labels and log fields come from lists: a stranger's method or path must not make new ones.
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED: Final = "unmatched"
# Lasts for minutes by design: its time says nothing about how fast we are.
_ENDLESS: Final = frozenset({"/v1/notifications/stream"})
# Supervisors and balancers ask several times a second.
_PROBED: Final = frozenset({"/health", "/livez", "/readyz"})
_IDS: Final = ("asset_id", "job_id")

log = structlog.get_logger("api.requests")


@dataclass(slots=True)
class _Exchange:
    """One request and what became of it."""

    request_id: UUID
    origin: bytes | None
    began: float = field(default_factory=time.perf_counter)
    status: int = 0


class Front:
    """Wraps the whole application, error pages and all: nothing leaves without its headers."""

    def __init__(self, app: ASGIApp, parts: Parts, *, security: Headers) -> None:
        doors = parts.settings.doors
        self._app, self._parts = app, parts
        self._secret = parts.settings.secrets.id_key
        self._hosts = frozenset(name.lower() for name in doors.allowed_hosts)
        self._cors = Cors(doors.cors_origins)
        self.security = security
        self.metrics = parts.metrics.http
        self.events = parts.metrics.security  # shown from the start, each count at 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = _headers(scope)
        exchange = _Exchange(request_id=_request_id(named), origin=_one(named, b"origin"))
        trace = continued(_text(_one(named, b"traceparent")))
        clear_contextvars()
        bind_contextvars(
            request_id=str(exchange.request_id),
            trace_id=trace.trace_id,
            network=pseudonym(network_of(scope), self._secret),
        )
        origin.current.set(origin.Origin(request_id=exchange.request_id, traceparent=trace.traceparent))
        self.metrics.in_flight.of().inc()
        try:
            await self._answer(scope, receive, self._dressing(exchange, send), named, exchange)
            if (lasting := left(scope)) is not None:
                named.clear()  # it is held as long as the answer lasts
                await lasting(receive, send)
        finally:
            self.metrics.in_flight.of().dec()
            self._note(scope, exchange)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, named: dict[bytes, list[bytes]], exchange: _Exchange
    ) -> None:
        if not self._known_host(named.get(b"host", [])):
            say(self._parts, "unknown_host")
            await self._refuse(UnknownHost(), scope, send)
            return
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in named:
            allowed = self._cors.answer(exchange.origin)
            if any(name == b"access-control-allow-origin" for name, _ in allowed):
                await _empty(204, self._cors.preflight(), send)
                return
        try:
            # Whoever names a credential is counted where it is looked at.
            if b"authorization" not in named and scope["path"] not in _PROBED:
                await admit_stranger(self._parts, scope)
        except TooManyRequests as refusal:
            await self._refuse(refusal, scope, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception:
            # Whatever comes out here is a fault of ours; the client has had its answer, or gets it now.
            log.exception("request_failed", route=_route(scope))
            if not exchange.status:
                await self._refuse(Internal(), scope, send)

    def _dressing(self, exchange: _Exchange, send: Send) -> Send:
        """Adds to the answer's head what every answer carries."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                headers += [header for header in self.security if header[0] not in present]
                headers += self._cors.answer(exchange.origin)
                headers.append((b"x-request-id", str(exchange.request_id).encode()))
                message = {**message, "headers": headers}
            await send(message)

        return dressed

    def _known_host(self, hosts: list[bytes]) -> bool:
        if len(hosts) != 1:
            return False
        name = hosts[0].decode("latin-1").lower()
        bare = name[: name.rfind("]") + 1] if name.startswith("[") else name.partition(":")[0]
        return bare in self._hosts or "*" in self._hosts

    async def _refuse(self, problem: StatusProblem, scope: Scope, send: Send) -> None:
        self.metrics.problems.of(str(problem.type_)).inc()
        body = json.dumps(problem_body(problem, instance=scope["path"])).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            *((name.lower().encode(), value.encode()) for name, value in (problem.headers or {}).items()),
        ]
        await send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _note(self, scope: Scope, exchange: _Exchange) -> None:
        route, method = _route(scope), scope["method"] if scope["method"] in METHODS else "OTHER"
        lasted = time.perf_counter() - exchange.began
        self.metrics.requests.of(method=method, route=route, status=exchange.status).inc()
        if route not in _ENDLESS:
            self.metrics.request_seconds.of(method=method, route=route).observe(lasted)
        ids = {name: found for name in _IDS if (found := _id(scope.get("path_params", {}).get(name)))}
        say = log.debug if route in _PROBED else log.info
        say(
            "request",
            method=method,
            route=route,
            status=exchange.status,
            milliseconds=round(lasted * 1000, 1),
            **ids,
        )


def _headers(scope: Scope) -> dict[bytes, list[bytes]]:
    named: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        named.setdefault(name.lower(), []).append(value)
    return named


def _one(named: dict[bytes, list[bytes]], name: bytes) -> bytes | None:
    values = named.get(name, [])
    return values[0] if len(values) == 1 else None


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _request_id(named: dict[bytes, list[bytes]]) -> UUID:
    """The caller's own id where it is a UUID, so that its logs and ours can be laid side by side."""
    try:
        return UUID(_text(_one(named, b"x-request-id")) or "")
    except ValueError:
        return new_id()


def _id(value: object) -> str | None:
    """A path's id where it is one; anything else in its place is a stranger's text, and not for the log."""
    try:
        return str(UUID(str(value)))
    except ValueError:
        return None


def _route(scope: Scope) -> str:
    """The template that matched, never the path: paths hold ids, and tomorrow tokens."""
    template = getattr(scope.get("route"), "path", None)
    if isinstance(template, str):
        return template
    # What is routed without a template has a path of its own.
    return str(scope["path"]) if "endpoint" in scope else UNMATCHED


async def _empty(status: int, headers: list[tuple[bytes, bytes]], send: Send) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})

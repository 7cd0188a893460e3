"""The metrics port of a process: /metrics, /livez and /readyz, away from the public listener."""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from adapters.settings import Settings, SettingsError
from adapters.telemetry.loops import Loops
from adapters.telemetry.metrics import Metrics

Probe = Callable[[], str | None]
"""None when all is well, else the reason in words. Called from the server's threads; must not block long."""

Details = Callable[[], Mapping[str, object]]

_READ_TIMEOUT_SECONDS: Final = 5

log = structlog.get_logger(__name__)


def _well() -> str | None:
    return None


def _nothing_more() -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What the listener shows."""

    metrics: Metrics
    live: Probe
    ready: Probe
    details: Details
    loops: Loops | None

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        match path:
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(self.metrics.registry)
            case "/livez":
                return self._probed(self.live)
            case "/readyz":
                return self._probed(self.ready)
            case _:
                return 404, "text/plain", b"not found\n"

    def _probed(self, probe: Probe) -> tuple[int, str, bytes]:
        reason = _asked(probe)
        said = {"status": "ok" if reason is None else "unavailable", "reason": reason, **self.details()}
        if self.loops is not None:
            said["component"], said["stuck"] = self.loops.component, self.loops.stuck()
            said["loops"] = [state.shown() for state in self.loops.states()]
        return 200 if reason is None else 503, "application/json", json.dumps(said).encode()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], site: _Site) -> None:
        self.site = site
        super().__init__(address, _Exchange)

    def handle_error(self, request: object, client_address: object) -> None:
        # A caller that went away is no news; http.server would print a traceback to stderr.
        del request, client_address
        log.debug("an exchange on the metrics port broke", error=repr(sys.exception()))


class _Exchange(BaseHTTPRequestHandler):
    timeout = _READ_TIMEOUT_SECONDS
    server_version, sys_version = "darkroom", ""
    server: _Listener

    def do_GET(self) -> None:
        status, content_type, body = self.server.site.answer(self.path.partition("?")[0])
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        log.debug("metrics port", said=format % args)


class MetricsServer:
    """The listener, until it is closed."""

    def __init__(self, listener: _Listener) -> None:
        """Made by `serve_metrics`."""
        self._listener = listener
        self._thread = threading.Thread(target=listener.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens; of interest when the setting is 0."""
        return self._listener.server_port

    def close(self) -> None:
        """Stops listening."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def serve_metrics(
    settings: Settings,
    metrics: Metrics,
    *,
    loops: Loops | None = None,
    live: Probe | None = None,
    ready: Probe = _well,
    details: Details = _nothing_more,
) -> MetricsServer:
    """Serves metrics and probes from a thread; a probe's reason makes /livez or /readyz answer 503.

    Both show `loops` and `details`; alive is who has no stuck loop, unless `live` says otherwise. Raises
    SettingsError where the port can't be had.
    """
    runtime = settings.runtime
    alive = live or (_well if loops is None else loops.stuck)
    site = _Site(metrics=metrics, live=alive, ready=ready, details=details, loops=loops)
    try:
        return MetricsServer(_Listener((runtime.metrics_host, runtime.metrics_port), site))
    except OSError as error:
        place = f"{runtime.metrics_host}:{runtime.metrics_port}"
        sentence = f"METRICS_PORT: {place} can't be listened on ({error.strerror}); set another port, or 0."
        raise SettingsError((sentence,)) from error


def _asked(probe: Probe) -> str | None:
    try:
        return probe()
    except Exception as error:
        log.exception("a probe broke")
        return f"the probe itself broke: {type(error).__name__}"

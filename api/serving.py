"""Runs the doors behind uvicorn: one listener, signals that end it in order, streams that end first."""

import asyncio
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, cast

import structlog
import uvicorn

from adapters.settings import DoorSettings, SettingsError
from api.app import Doors
from api.connections import Bounds, Connection
from api.crowds import Crowds

# Whoever acknowledges nothing for so long is gone, though TCP itself would wait for a quarter of an hour.
_GONE_MS: Final = 30_000
_KEEP_ALIVE_SECONDS: Final = 30
_BACKLOG: Final = 2048
# Of the time that requests in flight are given, streams end in waves over so much.
WAVES_SHARE: Final = 0.5

log = structlog.get_logger(__name__)


def listen(doors: DoorSettings) -> socket.socket:
    """The listening socket; raises SettingsError, in a sentence, where the place is taken."""
    try:
        listener = socket.create_server((doors.host, doors.port), backlog=_BACKLOG)
    except OSError as error:
        place = f"{doors.host}:{doors.port}"
        sentence = (
            f"PORT: {place} can't be listened on ({error.strerror}); set another port, or end who has it."
        )
        raise SettingsError((sentence,)) from error
    # Accepted connections inherit all three. Head and body of an answer are two writes, and the second must
    # not wait for the first one's acknowledgement; asyncio sees to it too, but not for a listener made so.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE_MS)
    return listener


class Ending:
    """That the process is told to stop: sets `stop`, and does what is to follow as soon as that is known."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._then: Callable[[], None] | None = None

    def told(self) -> None:
        """For a signal, whenever it comes; in the loop's thread, like `follow`."""
        self.stop.set()
        if self._then is not None:
            self._then()

    def follow(self, then: Callable[[], None]) -> None:
        """What is to be done; at once where the process was told before."""
        self._then = then
        if self.stop.is_set():
            then()


async def serve(made: Doors, doors: DoorSettings, listener: socket.socket, ending: Ending) -> None:
    """Answers until the process is told to stop, then ends the streams, lets requests end, and returns."""
    _allow_many_connections()
    server = server_of(made, doors)

    def end() -> None:
        made.probes.draining = True
        made.hub.drain(doors.shutdown_grace.total_seconds() * WAVES_SHARE)
        server.should_exit = True

    ending.follow(end)
    await server.startup(sockets=[listener])
    host, port = listener.getsockname()[:2]
    log.info("listening", host=host, port=port)
    await server.main_loop()
    await server.shutdown(sockets=[listener])


def _allow_many_connections() -> None:
    """Takes all descriptors that the system lets us have: a thousand slow clients must not use them up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def server_of(made: Doors, doors: DoorSettings) -> uvicorn.Server:
    """The server over these doors, ready for `startup`, `main_loop` and `shutdown`.

    So does Server.serve too, but with a way with signals that ends in the signal itself and so not in 0.
    """
    config = uvicorn.Config(
        made.asgi,
        http=_protocol(made, doors),
        ws="none",
        lifespan="on",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(doors.trusted_proxies),
        forwarded_allow_ips=list(doors.trusted_proxies),
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(doors.shutdown_grace.total_seconds())),
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


def _protocol(made: Doors, doors: DoorSettings) -> type[asyncio.Protocol]:
    bounds = Bounds(
        head=doors.head_timeout,
        security=made.asgi.security,
        metrics=made.asgi.metrics,
        crowds=Crowds(doors.connections_per_network, doors.trusted_proxies),
    )
    # uvicorn only ever calls it.
    return cast("type[asyncio.Protocol]", partial(Connection, bounds=bounds))


def on_signals(end: Callable[[], None]) -> None:
    """The first SIGTERM or SIGINT calls `end`; the second ends the process on the spot."""
    loop = asyncio.get_running_loop()
    asked = False

    def received() -> None:
        nonlocal asked
        if asked:
            os._exit(1)
        asked = True
        log.info("stopping")
        end()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received)

"""One connection of the listener: bounded heads, no leftovers, and refusals that are problems."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi_problem.error import StatusProblem
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from adapters.clock import new_id
from adapters.telemetry.metrics import HttpMetrics
from api.crowds import Crowds
from api.lasting import Gone, offer
from api.problems import TYPE_PREFIX, HeadTooLarge, MalformedRequest, TooSlow
from api.security_headers import Headers

# Twice what any browser or proxy of good manners sends; the parser itself knows no bound.
MAX_HEAD_BYTES: Final = 64_000
# Whoever was answered before its body had come may send the rest for so long, and then reads the answer.
LEFTOVER_SECONDS: Final = 5.0
# Nobody receives any more of a request whose answer lasts; an event for each would cost streams a twentieth.
_UNHEARD: Final = asyncio.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a connection may take, and what its own refusals carry."""

    head: timedelta
    security: Headers
    metrics: HttpMetrics
    crowds: Crowds


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, which has no bound on a request's head, with bounds.

    It inherits because the parser calls the very object back; uvicorn is given it in place of its own.
    """

    # With these among uvicorn's own attributes there would be too many for objects to share their names.
    __slots__ = (
        "_body_ended",
        "_bounds",
        "_deadline",
        "_entered",
        "_gone",
        "_head_bytes",
        "_in_head",
        "_lost",
        "_message_open",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        bounds: Bounds,
    ) -> None:
        """As uvicorn makes its own, with `bounds`."""
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = bounds
        self._entered: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = True
        self._message_open = False
        self._body_ended = False
        self._head_bytes = 0
        self._gone: Gone | None = None
        self._lost = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """A head has to come from now on."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._entered = self._bounds.crowds.enter(peer[0] if peer else "")
        if self._entered is None:
            self._cut("crowded")
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._met()
        if self._entered is not None:
            self._bounds.crowds.leave(self._entered)
        super().connection_lost(exc)
        self._lost = True
        if self._gone is not None:
            self._gone()

    def tells(self, gone: Gone) -> None:
        """As api.lasting.Tells says, of the answer under way."""
        if self._lost:
            gone()
            return
        self._gone = gone
        if not self.pipeline:  # with another request behind it, the newest is not the one under way
            self.cycle.message_event = _UNHEARD

    def data_received(self, data: bytes) -> None:
        """Bytes between requests count as the beginning of a head, whatever they are."""
        if self._in_head and self._deadline is None:
            self._expect_head()
        self._body_ended = False
        super().data_received(data)
        # A body's last bytes are no head; one of the next request that came along with them is counted from
        # its second piece on.
        if self._in_head and not self._body_ended and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadTooLarge(), "head_too_large")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._message_open = True
        super().on_message_begin()
        offer(cast("Scope", self.scope), self.tells)

    def on_headers_complete(self) -> None:
        """The head is there in time."""
        self._met()
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there too."""
        self._met()
        self._message_open, self._in_head, self._body_ended = False, True, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Whoever still sends a body that nobody waits for is given a moment."""
        self._gone = None
        super().on_response_complete()
        if self._message_open and not self._in_head and self.cycle.response_complete:
            self._deadline = self.loop.call_later(LEFTOVER_SECONDS, self._cut_leftovers)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is refused like everything else: with a problem."""
        del msg  # the parser's words are for us alone
        self._refuse(MalformedRequest(), "malformed")

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(self._bounds.head.total_seconds(), self._head_is_late)

    def _met(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _head_is_late(self) -> None:
        self._deadline = None
        if self._message_open:
            self._refuse(TooSlow(), "head_too_slow")
        else:
            self._cut("silent")

    def _cut_leftovers(self) -> None:
        self._deadline = None
        self._cut("leftovers")

    def _cut(self, reason: str) -> None:
        self._met()
        self._bounds.metrics.cut.of(reason).inc()
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, problem: StatusProblem, reason: str) -> None:
        """Answers and closes; where an answer to an earlier request is on its way, it only closes."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        answering = cycle is not None and cycle.response_started and not cycle.response_complete
        if not answering and not self.transport.is_closing():
            self._bounds.metrics.problems.of(str(problem.type_)).inc()
            self.transport.write(_answer(problem, self._bounds.security))
        self._cut(reason)


def _answer(problem: StatusProblem, security: Headers) -> bytes:
    body = json.dumps(problem.marshal(uri=TYPE_PREFIX + "{type}")).encode()
    headers = (
        *security,
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", str(new_id()).encode()),
        (b"connection", b"close"),
    )
    status = HTTPStatus(problem.status)
    head = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(b": ".join(header) for header in headers)]
    return b"\r\n".join([*head, b"", body])

"""Answers that last for minutes: a door leaves one here, and all that let its request in is let go of.

A stream that waits costs what it holds. So the door of one returns once it has begun, with routing, error
pages and the request behind it, and the front goes on with what it left.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, cast

from starlette.types import Receive, Scope, Send

Lasting = Callable[[Receive, Send], Awaitable[None]]
"""The rest of an answer whose head is sent."""

Gone = Callable[[], None]
"""Called once, when nobody is there any more to take the rest."""

_LEFT: Final = "darkroom.lasting"
_CONNECTION: Final = "darkroom.connection"
# The line in the log and the server itself ask for no more.
_KEPT: Final = frozenset({"type", "method", "path", "route", "endpoint"})


class Tells(Protocol):
    """What a connection of our own listener offers an answer that lasts."""

    def __call__(self, gone: Gone) -> None:
        """Has `gone` called when the connection ends, or at once where it has."""
        ...


def offer(scope: Scope, tells: Tells) -> None:
    """Says, in the request's scope, that its connection tells of its end."""
    scope["extensions"] = {_CONNECTION: tells}


def offered(scope: Scope) -> Tells | None:
    """What `offer` said; None behind any other listener, where only `receive` tells."""
    return cast("Tells | None", scope.get("extensions", {}).get(_CONNECTION))


def leave(scope: Scope, lasting: Lasting) -> None:
    """Leaves the rest of the answer to whoever called the door; it will be run."""
    scope[_LEFT] = lasting


def left(scope: Scope) -> Lasting | None:
    """What a door left; the scope then knows no more of its request than its line in the log needs."""
    lasting = cast("Lasting | None", scope.get(_LEFT))
    if lasting is not None:
        kept = {name: scope[name] for name in _KEPT & scope.keys()}
        scope["headers"].clear()  # the listener holds the list as well
        scope.clear()
        scope.update(kept)
    return lasting

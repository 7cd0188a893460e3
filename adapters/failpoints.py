"""Places in the code at which a test may make this process die, stall or fail; production refuses them."""

import os
import re
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(
    r"(?P<name>[a-z0-9_.]+)=(?P<action>kill|stop|exit|raise|sleep)(?::(?P<seconds>[0-9]+(?:\.[0-9]+)?))?(?:@(?P<nth>[1-9][0-9]*))?"
)


class FailpointHit(Exception):
    """What a failpoint with the action `raise` raises."""


class InvalidFailpoint(ValueError):
    """A failpoint written in no form that we know: name=kill|stop|exit|raise|sleep:seconds[@N]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failpoint:
    action: str
    seconds: float
    nth: int | None


class Failpoints:
    """The failpoints of one process, made from `name=action[@N],…`; with @N only the N-th hit acts.

    Safe to hit from any thread. Without a spec every hit is one look into an empty dict.
    """

    def __init__(self, spec: str = "") -> None:
        """Reads `spec`; raises InvalidFailpoint."""
        self._points = dict(_read(part.strip()) for part in spec.split(",") if part.strip())
        self._hits: Counter[str] = Counter()
        self._lock = threading.Lock()

    def hit(self, name: str) -> None:
        """Acts where a failpoint of this name is set: SIGKILL, SIGSTOP, exit at once (1), sleep or raise."""
        if (point := self._points.get(name)) is None:
            return
        with self._lock:
            self._hits[name] += 1
            due = point.nth is None or self._hits[name] == point.nth
        if due:
            _act(point, name)


def _read(text: str) -> tuple[str, _Failpoint]:
    match = _FORM.fullmatch(text)
    if match is None or (match["action"] == "sleep") != bool(match["seconds"]):
        raise InvalidFailpoint(f"{text!r} is no failpoint: write name=kill|stop|exit|raise|sleep:seconds[@N]")
    nth = int(match["nth"]) if match["nth"] else None
    return match["name"], _Failpoint(action=match["action"], seconds=float(match["seconds"] or 0), nth=nth)


def _act(point: _Failpoint, name: str) -> None:
    match point.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "exit":
            os._exit(1)
        case "sleep":
            time.sleep(point.seconds)
        case _:
            raise FailpointHit(name)

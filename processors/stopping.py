"""How the process is told to stop, in order the first time and at once the second, and how it leaves."""

import asyncio
import os
import signal
import sys
import threading
from typing import NoReturn

import structlog

log = structlog.get_logger(__name__)


class Stop:
    """Whether we were told to stop: `told` for the event loop, `in_threads` for waits outside of it.

    `for_good`: nobody will be started in our place, so that others may have what is ours at once.
    """

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.in_threads = threading.Event()
        self.for_good = False
        self._asked = False

    def listen(self) -> None:
        """Hears SIGTERM and SIGINT (stop), and SIGUSR2 (stop for good) from here on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._tell, number)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, self._decommission)

    def _tell(self, number: int) -> None:
        if self._asked:
            end_process(128 + number)
        self._asked = True
        self._begin(number)

    def _decommission(self) -> None:
        # Orchestrators send a SIGTERM right behind what they run before a stop: that one is the first.
        self.for_good = True
        self._begin(signal.SIGUSR2)

    def _begin(self, number: int) -> None:
        log.info("worker_stops", signal=signal.Signals(number).name, for_good=self.for_good)
        self.told.set()
        self.in_threads.set()


def leave(reason: str) -> NoReturn:
    """Ends the process at once, from any thread: nothing is committed, every record in hand comes again."""
    log.critical("worker_leaves", reason=reason)
    end_process(os.EX_TEMPFAIL)


def end_process(code: int) -> NoReturn:
    """Ends the process without waiting for anybody's threads: a consumer's may wait for a broker for ever."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

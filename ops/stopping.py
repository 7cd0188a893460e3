"""How long-running commands hear that they are to end."""

import signal
import threading


def stop_on_signals() -> threading.Event:
    """An event that the first SIGTERM or SIGINT sets; the second ends the process as it always does."""
    stop = threading.Event()

    def told(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    return stop

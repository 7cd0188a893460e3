"""Several loops in one process, each in a thread: they live and end together."""

import threading
from collections.abc import Callable, Mapping


def run_all(loops: Mapping[str, Callable[[], None]], stop: threading.Event) -> None:
    """Runs each until all have returned; the first that raises stops the others, and its error is raised.

    Each loop has to return soon after `stop` is set.
    """
    failed: list[BaseException] = []

    def guarded(run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that called
            failed.append(error)
        finally:
            stop.set()

    threads = [
        threading.Thread(target=guarded, args=(run,), name=f"loop-{name}", daemon=True)
        for name, run in loops.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]

"""`python -m tests.integration.worker.wedged`: a worker whose Faust stops fetching when told by SIGWINCH.

Faust has been seen like this: alive, a member in good standing, records waiting, and nothing fetched any
more, without an error anywhere.
"""

import asyncio
import signal

from adapters.settings import load_settings
from adapters.telemetry import configure_logs
from processors.stopping import Stop, leave
from processors.variants.worker import Worker


async def main() -> None:
    """Works like any worker until the signal; ends by its own watchdog, or with the test."""
    settings, stop = load_settings(), Stop()
    configure_logs("variants", settings)
    worker = Worker(settings, lane="live", stop=stop, leave=leave)
    await worker.start()
    assert worker._member is not None
    app = worker._member._app

    def wedge() -> None:
        app.consumer.pause_partitions(app.consumer.assignment())

    asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, wedge)
    await stop.told.wait()


if __name__ == "__main__":
    asyncio.run(main())

"""`python -m api`: serves the doors until it is told to stop."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import structlog
import uvloop

from adapters.schema_registry import ContractMismatch, RegistryUnavailable
from adapters.settings import Settings, SettingsError, settings_or_exit
from adapters.telemetry import Loops, Metrics, configure_logs, serve_metrics
from adapters.topics import BrokerUnreachable, TopicDrift
from api.app import Doors, create_app
from api.composition import COMPONENT, opened
from api.serving import Ending, listen, on_signals, serve

_ANSWER_SECONDS = 4.0

log = structlog.get_logger(__name__)


class Readiness:
    """What the metrics port says of this process, asked from a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.doors: Doors | None = None

    def trouble(self) -> str | None:
        """Why the doors are of no use right now; None when they are."""
        if self.doors is None:
            return "starting: waits for the schema registry and the brokers"
        asking = asyncio.run_coroutine_threadsafe(self.doors.probes.checks(), self._loop)
        away = [name for name, met in asking.result(_ANSWER_SECONDS).items() if not met]
        return f"unavailable: {', '.join(away)}" if away else None


async def _run(settings: Settings) -> None:
    metrics = Metrics()
    loops = Loops(COMPONENT, settings.runtime.heartbeat_limit, metrics.loops)
    readiness = Readiness(asyncio.get_running_loop())
    ending = Ending()
    on_signals(ending.told)
    listener = listen(settings.doors)
    told = serve_metrics(settings, metrics, loops=loops, ready=readiness.trouble)
    try:
        async with opened(settings, metrics, loops, ending.stop) as parts:
            readiness.doors = create_app(parts, loops)
            await serve(readiness.doors, settings.doors, listener, ending)
    finally:
        told.close()
        listener.close()


def main(words: Sequence[str] = ()) -> int:
    """Runs the doors; 0 after a signal, 1 with a sentence when they can't be opened.

    Raises SystemExit after `--help`, and for words that it doesn't know.
    """
    parser = argparse.ArgumentParser(
        prog="python -m api",
        description="Serves the doors until it is told to stop. All else is a setting: docs/settings.md.",
    )
    parser.parse_args(words)
    settings = settings_or_exit()
    configure_logs(COMPONENT, settings)
    for sentence in settings.warnings:
        log.warning("unsafe_setting", sentence=sentence)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))
    except (BrokerUnreachable, RegistryUnavailable):
        return 0  # told to stop before they came
    except (ContractMismatch, SettingsError, TopicDrift) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

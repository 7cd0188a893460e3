"""`python -m processors variants` and `… purge`: runs a worker until it is told to stop."""

import argparse
import asyncio
import contextlib
import logging
import sys
from typing import Final, NoReturn, Protocol

import structlog
import uvloop

from adapters.schema_registry import ContractMismatch, RegistryUnavailable
from adapters.settings import Settings, SettingsError, settings_or_exit
from adapters.telemetry import configure_logs
from adapters.topics import BrokerUnreachable, TopicDrift
from processors.faust_app.app import UncompiledFaust
from processors.faust_app.slots import SlotTaken
from processors.memory import give_freed_memory_back
from processors.sandbox import SandboxUnavailable
from processors.stopping import Stop, end_process, leave
from schemas.codes import LANES

_REFUSALS: Final = (
    SettingsError,
    SlotTaken,
    TopicDrift,
    ContractMismatch,
    SandboxUnavailable,
    UncompiledFaust,
)

log = structlog.get_logger(__name__)


class Worker(Protocol):
    """What runs here."""

    async def start(self) -> None:
        """Returns once the worker takes records; raises the refusals of what it is made of."""
        ...

    async def end(self) -> None:
        """Takes no more, and lets go of everything in order."""
        ...


def main() -> None:
    """Never returns: ends with 0 after a signal, 1 where it can't start, 75 where it leaves to start anew."""
    parser = argparse.ArgumentParser(prog="python -m processors", description="Event → work → event.")
    programs = parser.add_subparsers(dest="program", required=True)
    variants = programs.add_parser("variants", help="renders completed uploads into their variants")
    variants.add_argument("--lane", choices=LANES, default="live", help="which work to take (default: live)")
    programs.add_parser("purge", help="removes what purged assets left in the object store")
    arguments = parser.parse_args()
    give_freed_memory_back()
    settings = settings_or_exit()
    configure_logs(arguments.program, settings)
    # It says an outage forty times a second; ours is said once (processors.faust_app.watchdog).
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    # A fifth less of the worker's own time than with asyncio's loop, for the same calls.
    uvloop.run(_run(settings, arguments))


async def _run(settings: Settings, arguments: argparse.Namespace) -> NoReturn:
    stop = Stop()
    stop.listen()
    worker = _worker(settings, arguments, stop)
    try:
        await _start_or_stop(worker, stop)
        await stop.told.wait()
        await worker.end()
    except _REFUSALS as refusal:
        log.critical("worker_refuses", kind=type(refusal).__name__, reason=str(refusal))
        print(refusal, file=sys.stderr)
        end_process(1)
    except Exception:
        log.critical("worker_failed", exc_info=True)
        end_process(1)
    log.info("worker_stopped")
    end_process(0)


def _worker(settings: Settings, arguments: argparse.Namespace, stop: Stop) -> Worker:
    """The worker that the command line names; the other's imports cost memory, and stay away."""
    if arguments.program == "purge":
        from processors.purge.worker import PurgeWorker

        return PurgeWorker(settings, stop=stop, leave=leave)
    from processors.variants.worker import Worker as VariantsWorker

    return VariantsWorker(settings, lane=arguments.lane, stop=stop, leave=leave)


async def _start_or_stop(worker: Worker, stop: Stop) -> None:
    """Returns once the worker runs, or was told to stop before it did."""
    starting = asyncio.create_task(worker.start())
    told = asyncio.create_task(stop.told.wait())
    await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        await starting
        return
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError, BrokerUnreachable, RegistryUnavailable):
        await starting


if __name__ == "__main__":
    main()

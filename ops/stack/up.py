"""`up`: from an empty folder to a running stack, and down again in order."""

import asyncio
import os
import secrets
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from ops.stack.console import Terminal
from ops.stack.environment import (
    complete_environment,
    external_addresses,
    given_settings,
    server_addresses,
    write_environment,
)
from ops.stack.folder import Folder, folder_of
from ops.stack.jars import BUNDLES, is_intact
from ops.stack.kafka import kafka
from ops.stack.ports import SERVERS, Ports, choose_ports
from ops.stack.postgres import postgres
from ops.stack.preflight import ROOM_TO_START, check_machine, check_room
from ops.stack.products import products
from ops.stack.programs import Program
from ops.stack.record import Record, born, only_one, read_record, write_record
from ops.stack.registry import registry
from ops.stack.remains import end_crashed_run, end_remains
from ops.stack.sample import take_sample
from ops.stack.secrets import folder_secrets
from ops.stack.settings import StackSettings
from ops.stack.site import Site
from ops.stack.store import store
from ops.stack.supervisor import Supervisor
from ops.stack.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person asked for."""

    external: bool = False
    servers_only: bool = False
    sample: bool = True


def up(settings: StackSettings, wish: Wish, terminal: Terminal) -> int:
    """Run the stack until SIGINT or SIGTERM; returns the exit code. Raises StackFailure with a sentence."""
    folder = folder_of(settings)
    if not wish.external:
        check_machine()
    folder.create()
    with only_one(folder.lock):
        clean_up(folder, terminal)
        ports = choose_ports(settings, needed=_needed(wish))
        kept = folder_secrets(folder.secrets)
        servers = external_addresses(os.environ) if wish.external else server_addresses(settings, ports, kept)
        environment, given = complete_environment(settings, ports, kept, servers), given_settings(os.environ)
        # Of servers of their own the person knows best; of ours, and of what is sealed in them, we do.
        environment = {**environment, **given} if wish.external else {**given, **environment}
        programs: list[Program] = []
        if not wish.external:
            get_servers(folder, terminal)
            site = Site(settings=settings, folder=folder, ports=ports, secrets=kept, servers=servers)
            programs = server_programs(site)
        if not wish.servers_only:
            programs += products(folder, ports, environment, external=wish.external)
        write_environment(folder.env, environment)
        return asyncio.run(_run(programs, folder, environment, wish, terminal))


def server_programs(site: Site) -> list[Program]:
    """The four embedded servers."""
    return [postgres(site), kafka(site), registry(site), store(site)]


def clean_up(folder: Folder, terminal: Terminal) -> None:
    """End what a run that was killed has left. Call it with the folder's lock held."""
    record = read_record(folder.record)
    if record is not None:
        ended = end_crashed_run(record)
        if ended:
            terminal.say("clean-up", f"an earlier run was cut short; ended its {', '.join(ended)}")
        folder.record.unlink(missing_ok=True)


def get_servers(folder: Folder, terminal: Terminal) -> None:
    """Have the servers' files in the cache: checked, and fetched where they are missing or damaged."""
    here = [bundle for bundle in BUNDLES if bundle.is_here(folder.cache)]
    for bundle in here:
        if not is_intact(bundle, folder.cache):
            terminal.say("download", f"the files of {bundle.name} are damaged; fetching them again")
    absent = [bundle for bundle in BUNDLES if not bundle.is_here(folder.cache)]
    # Twice: an archive lies there beside what is unpacked from it.
    size = 2 * sum(jar.size for bundle in absent for jar in bundle.jars)
    check_room(folder.cache, size + ROOM_TO_START, "the download of the servers" if absent else "a start")
    if absent:
        from ops.stack.fetch import fetch  # here, because a second start need not wait for its imports

        fetch(absent, folder.cache, terminal.meter)


def _needed(wish: Wish) -> frozenset[str]:
    ours = frozenset(Ports.__slots__) - SERVERS
    return (frozenset() if wish.external else SERVERS) | (frozenset() if wish.servers_only else ours)


async def _run(
    programs: Sequence[Program], folder: Folder, environment: dict[str, str], wish: Wish, terminal: Terminal
) -> int:
    mark = secrets.token_hex(8)
    ending = _on_signals()
    supervisor = Supervisor(
        programs,
        mark=mark,
        say=terminal.say,
        changed=lambda units: _write(folder, mark, environment["DARKROOM_URL"], units),
    )
    terminal.line(f"Starting {', '.join(unit.name for unit in supervisor.units)}")
    starting = asyncio.create_task(supervisor.start())
    try:
        if await _before(ending, starting):
            welcome = asyncio.to_thread(_welcome, folder, environment, wish, terminal)
            await _before(ending, asyncio.create_task(welcome))
            await supervisor.serve(ending)
        return 0
    finally:
        starting.cancel()
        terminal.line("Stopping …")
        await supervisor.stop()
        end_remains(mark)
        terminal.line("Stopped.")


async def _before(ending: asyncio.Event, work: asyncio.Task[None]) -> bool:
    """Whether the work ended, by itself, before we were told to end. Raises what the work raised."""
    told = asyncio.create_task(ending.wait())
    done, _ = await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if work in done:
        await work
    return work in done


def _on_signals() -> asyncio.Event:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ending.set)
    return ending


def _write(folder: Folder, mark: str, url: str, units: Sequence[Unit]) -> None:
    pid = os.getpid()
    entries = tuple(unit.entry() for unit in units)
    write_record(folder.record, Record(mark=mark, pid=pid, born=born(pid) or 0.0, url=url, entries=entries))


def _welcome(folder: Folder, environment: dict[str, str], wish: Wish, terminal: Terminal) -> None:
    if wish.sample and not wish.servers_only:
        take_sample(folder, environment, terminal)
    url = environment["DARKROOM_URL"]
    where = "The servers are up" if wish.servers_only else f"Darkroom serves at [bold]{url}[/]"
    terminal.line(f"\n{where}. Addresses and keys: {folder.env}")
    terminal.line("Ctrl-C to stop.\n")

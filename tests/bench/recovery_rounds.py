"""Rounds of the recovery: uploads at a rate, one kill among them, and the wait until all are ready."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

import psycopg

from tests.rig.doors import HttpDoor
from tests.rig.fleet import Fleet
from tests.rig.history import History
from tests.rig.load import Load
from tests.servers import Server, World

NOTHING: Final = "nothing"
FROZEN_SECONDS: Final = 5.0
_BEFORE_SECONDS: Final = 1.0
_AFTER_SECONDS: Final = 2.0
_LONGEST_SECONDS: Final = 180.0
_LOOK_SECONDS: Final = 0.05
_READY: Final = "select count(*) from live.assets where asset_id = any(%s) and status = 'ready'"

Fault = Callable[[], object]
"""Does it and brings back what it was done to; runs in a thread."""


class NotDrained(Exception):
    """Uploads were not all acknowledged, or not all ready, in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody that a round needs; of each fleet one program runs, number 0."""

    world: World
    fleets: Mapping[str, Fleet]
    history: History
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Upheaval:
    """One round: seconds from the kill to the last ready upload, and how many uploads there were."""

    seconds: float
    uploads: int


def faults(cast: Cast) -> dict[str, Fault]:
    """Each kind of kill by its name; nothing comes first."""
    servers = cast.world.servers
    stores = {"broker": servers.kafka, "database": servers.postgres, "store": servers.store}
    return {
        NOTHING: lambda: None,
        **{f"{name} -9": partial(_kill, fleet) for name, fleet in cast.fleets.items()},
        **{f"{name} -9": partial(_kill_server, server) for name, server in stores.items()},
        **{f"{name} frozen": partial(_freeze, fleet) for name, fleet in cast.fleets.items()},
        **{f"{name} frozen": partial(_freeze_server, server) for name, server in stores.items()},
    }


async def upheaval(cast: Cast, fault: Fault) -> Upheaval:
    """One round; begins when all is well. Raises NotDrained."""
    await asyncio.to_thread(_all_well, cast)
    before = len(cast.history.acknowledged)
    door = HttpDoor(cast.world.env["DARKROOM_URL"], cast.world.env["API_KEYS"].split(":")[0])
    load = Load(door, cast.history, patience=_LONGEST_SECONDS)
    try:
        async with load.at(cast.rate):
            await asyncio.sleep(_BEFORE_SECONDS)
            began = time.perf_counter()
            done = asyncio.create_task(asyncio.to_thread(fault))
            await asyncio.sleep(_AFTER_SECONDS)
        uploads = [each.asset_id for each in cast.history.acknowledged[before:]]
        if cast.history.unanswered():
            raise NotDrained(f"{len(cast.history.unanswered())} uploads were never acknowledged")
        await asyncio.to_thread(_until_ready, cast.world.env["DATABASE_URL"], uploads)
        seconds = time.perf_counter() - began
        await done
    finally:
        await door.close()
    return Upheaval(seconds=seconds, uploads=len(uploads))


def _all_well(cast: Cast) -> None:
    servers = cast.world.servers
    for server in (servers.kafka, servers.postgres, servers.store):
        server.wait_ready()
    for fleet in cast.fleets.values():
        fleet.wait_ready(0)
    cast.fleets["api"][0].wait_ready(f"{cast.world.env['DARKROOM_URL']}/readyz")


def _kill(fleet: Fleet) -> None:
    fleet.kill(0)
    fleet.start(0, ready=False)


def _kill_server(server: Server) -> None:
    server.kill()
    server.wait_ready()


def _freeze(fleet: Fleet) -> None:
    fleet.freeze(0)
    time.sleep(FROZEN_SECONDS)
    fleet.thaw(0)


def _freeze_server(server: Server) -> None:
    with server.paused():
        time.sleep(FROZEN_SECONDS)


def _until_ready(url: str, uploads: list[UUID]) -> None:
    """Looks until all are ready, by a new connection wherever the old one was cut."""
    deadline, ready = time.monotonic() + _LONGEST_SECONDS, 0
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=5) as conn:
                while time.monotonic() < deadline:
                    found = conn.execute(_READY, (uploads,)).fetchone()
                    ready = found[0] if found else 0
                    if ready == len(uploads):
                        return
                    time.sleep(_LOOK_SECONDS)
        except psycopg.OperationalError:
            time.sleep(_LOOK_SECONDS)
    raise NotDrained(f"{ready} of {len(uploads)} uploads were ready after {_LONGEST_SECONDS:g} s")

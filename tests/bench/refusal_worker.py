"""A process that refuses files: `python -m tests.bench.refusal_worker recipe|sandbox`, a file a line.

`recipe` does it in process; `sandbox` has a child do it, which is replaced afterwards, as in the worker.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from processors.imaging import memory
from processors.imaging.recipe import DEFAULT_PRESETS, Limits, Refused, make_variants
from processors.sandbox import Sandbox

Way: TypeAlias = Callable[[bytes], Awaitable[object]]


def _cpu_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def refused(way: Way, data: bytes) -> dict[str, object]:
    """The code that a file is refused with (None: it is not), ms it took, MiB held before it."""
    held, cpu, wall = _resident_mib(), _cpu_ms(), time.perf_counter()
    try:
        await way(data)
        code = None
    except Refused as refusal:
        code = refusal.code
    wall = (time.perf_counter() - wall) * 1000
    return {"code": code, "wall_ms": wall, "cpu_ms": _cpu_ms() - cpu, "held_mib": held}


async def serve(way: Way, ready: str) -> None:
    """Say hello, then answer each line of stdin with one line."""
    print(json.dumps({"ready": ready}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        data = await asyncio.to_thread(Path(json.loads(line)["picture"]).read_bytes)
        print(json.dumps(await refused(way, data)), flush=True)


async def main() -> None:
    """Refuses in the way that the command line names."""
    if sys.argv[1] == "sandbox":
        async with Sandbox(children=1, limits=Limits()) as sandbox:
            await serve(
                lambda data: sandbox.render(data, owner="one", presets=DEFAULT_PRESETS), sandbox.status.mode
            )
        return
    memory.keep_freed_memory()
    out = os.memfd_create("variants")

    async def recipe(data: bytes) -> object:
        return make_variants(data, DEFAULT_PRESETS, Limits(), out)

    await serve(recipe, "in process")


if __name__ == "__main__":
    asyncio.run(main())

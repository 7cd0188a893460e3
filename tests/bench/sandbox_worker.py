"""A process that makes variants in a sandbox: `python -m tests.bench.sandbox_worker kept|fresh`.

It takes a job a line. `kept` renders everything for one owner, so that one child serves many jobs; `fresh`
gives each job an owner of its own, and so a child of its own.
"""

import asyncio
import json
import resource
import sys
import time
from itertools import count
from pathlib import Path

from processors.imaging.recipe import DEFAULT_PRESETS, Limits
from processors.sandbox import Sandbox


def _cpu_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


async def job(sandbox: Sandbox, data: bytes, owner: str) -> dict[str, object]:
    """One job, read back in full as the worker does: our own processor time and the child's, ms of wall."""
    cpu, wall = _cpu_ms(), time.perf_counter()
    with await sandbox.render(data, owner=owner, presets=DEFAULT_PRESETS) as rendered:
        made = [
            {"name": variant.name, "size": len(rendered.bytes_of(variant))} for variant in rendered.variants
        ]
        child = rendered.cost.cpu_ms
    wall = (time.perf_counter() - wall) * 1000
    return {"cpu_ms": _cpu_ms() - cpu + child, "wall_ms": wall, "variants": made}


async def main() -> None:
    """Say hello with how children are confined, then answer each line of stdin with one line."""
    owners = count()
    async with Sandbox(children=1, limits=Limits()) as sandbox:
        print(json.dumps({"ready": sandbox.status.mode}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            owner = "one" if sys.argv[1] == "kept" else str(next(owners))
            picture = Path(json.loads(line)["picture"])
            answer = await job(sandbox, await asyncio.to_thread(picture.read_bytes), owner)
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

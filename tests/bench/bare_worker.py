"""`python -m tests.bench.bare_worker`: originals in, variants out, by recipe and store calls alone.

What the worker is measured against: no log, no sandbox, no sealing, no rows. Jobs come as lines of JSON, each
a list of keys; while one picture is rendered another's bytes travel.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from adapters.object_store import S3ObjectStore
from adapters.settings import load_settings
from adapters.telemetry import Metrics
from processors.imaging import memory
from processors.imaging.recipe import DEFAULT_PRESETS, Limits, Variant, make_variants

_IN_FLIGHT = 3
_Files = Sequence[tuple[Variant, bytes]]


def render(data: memoryview, out: int) -> _Files:
    """All variants of one picture with their bytes."""
    made = make_variants(data, DEFAULT_PRESETS, Limits(), out)
    return [(variant, os.pread(out, variant.size, variant.offset)) for variant in made.variants]


class Bare:
    """One process's loop: one picture is rendered at a time, up to _IN_FLIGHT are on their way."""

    def __init__(self, store: S3ObjectStore) -> None:
        self._store = store
        self._renderer = ThreadPoolExecutor(1)
        self._out = os.memfd_create("variants")
        self._places = asyncio.Semaphore(_IN_FLIGHT)

    async def all_of(self, keys: Sequence[str]) -> None:
        """Make and store the variants of each original."""
        async with asyncio.TaskGroup() as tasks:
            for key in keys:
                tasks.create_task(self._one(key))

    async def _one(self, key: str) -> None:
        async with self._places:
            data = await self._store.view(key)
            loop = asyncio.get_running_loop()
            files = await loop.run_in_executor(self._renderer, render, data, self._out)
            async with asyncio.TaskGroup() as puts:
                for variant, content in files:
                    name = f"bare/{key}/{variant.name}.{variant.format}"
                    puts.create_task(self._store.put(name, content, content_type=variant.content_type))


async def main() -> None:
    """Answer each line of keys with a line once their variants are stored."""
    memory.keep_freed_memory()
    store = S3ObjectStore(load_settings().store, metrics=Metrics().store)
    bare = Bare(store)
    print(json.dumps({"ready": "bare"}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await bare.all_of(json.loads(line))
        print(json.dumps({"done": True}), flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main())

"""`latency`: from an upload's 202 to the stream's word that it is ready, idle and under load."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import typer

from ops.stack.products import inherited
from tests.bench import machine, rounds
from tests.bench.ears import listen
from tests.bench.ground import GENEROUS, world
from tests.bench.pictures import pictures
from tests.bench.results import JsonFile, Results, show
from tests.programs import ROOT, Program, running
from tests.servers import World

IDLE, LOADED, BULK = "idle", "under load", "with a bulk run"
_PATIENCE_SECONDS: Final = 60.0
_OTHERS: Final = "bench-key-of-everybody-else"
# Not what is active at first, so that a run to it has something to render.
_ANOTHER_SET: Final = [
    {"name": name, "width": side, "height": side, "fit": "contain", "formats": ["auto"], "quality": 80}
    for name, side in (("thumbnail", 160), ("small", 500), ("medium", 1000), ("large", 1600))
]

Uploads = Annotated[int, typer.Option(min=1, help="Measured uploads of each kind, one after the other.")]
Load = Annotated[float, typer.Option(min=0, help="Uploads a second of others meanwhile; 0 leaves it out.")]
Bulk = Annotated[int, typer.Option(min=0, help="Images of a regeneration under way; 0 leaves it out.")]


@dataclass(slots=True)
class Waits:
    """Seconds from each 202 to its word, and who waits for which asset."""

    seconds: list[float] = field(default_factory=list)
    _ready: dict[str, float] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, said: Mapping[str, Any], moment: float) -> None:
        """An entry was heard."""
        if said["type"] == "asset.ready":
            self._ready[str(said["asset_id"])] = moment
            self._changed.set()

    async def until_ready(self, asset_id: str, began: float) -> None:
        """Returns once the asset is said to be ready; raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while asset_id not in self._ready:
                self._changed.clear()
                await self._changed.wait()
        self.seconds.append(max(0.0, self._ready[asset_id] - began))


def command(
    uploads: Uploads = 50,
    load: Load = 5.0,
    bulk: Bulk = 0,
    folder: Annotated[
        Path | None, typer.Argument(help="Pictures; a drawn one of 2 MP where left out.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Upload completed → ready over the stream, one photograph at a time, idle and while others upload."""
    with pictures(folder) as found, world() as ground:
        picture = next((path for path in found if "2mp" in path.name), found[0]).read_bytes()
        keys = {"API_KEYS": f"{ground.env['API_KEYS']},{_OTHERS}:others:user"}
        env = {**ground.env, **GENEROUS, **keys}
        names = [["projections"], ["processors", "variants"], ["api"]]
        if bulk:
            names += [["processors", "variants", "--lane", "bulk"], ["ops", "housekeeping", "run"]]
        programs = [Program(name, env, ground.folder) for name in names]
        with running(*programs):
            for program in programs:
                program.wait_ready()
            measured = asyncio.run(_measure(ground, env, picture, uploads, load, bulk))
    show(results(measured, load, bulk), json_file)


async def _measure(
    ground: World, env: Mapping[str, str], picture: bytes, uploads: int, load: float, bulk: int
) -> dict[str, Sequence[float]]:
    key, url = ground.env["API_KEYS"].partition(":")[0], env["DARKROOM_URL"]
    measured: dict[str, Sequence[float]] = {}
    async with AsyncExitStack() as stack:
        mine, others = [
            await stack.enter_async_context(
                aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {one}"}, raise_for_status=True)
            )
            for one in (key, _OTHERS)
        ]
        waits = Waits()
        stack.push_async_callback((await listen(url, key, waits.heard)).close)
        await _series(mine, waits, picture, 10)  # warm
        measured[IDLE] = await _series(mine, waits, picture, uploads)
        if load:
            crowd = asyncio.create_task(_crowd(others, picture, load))
            measured[LOADED] = await _series(mine, waits, picture, uploads)
            crowd.cancel()
        if bulk:
            await _begun(ground, others, waits, picture, bulk)
            measured[BULK] = await _series(mine, waits, picture, uploads)
    return measured


async def _series(session: aiohttp.ClientSession, waits: Waits, picture: bytes, count: int) -> list[float]:
    waits.seconds = []
    for _ in range(count):
        asset_id = await _upload(session, picture)
        await waits.until_ready(asset_id, time.perf_counter())
    return waits.seconds


async def _upload(session: aiohttp.ClientSession, picture: bytes) -> str:
    form = aiohttp.FormData()
    form.add_field("file", picture, filename="harbour.jpg", content_type="image/jpeg")
    async with session.post("/v1/uploads?duplicate=allow", data=form) as answer:
        return str((await answer.json())["asset_id"])


async def _crowd(session: aiohttp.ClientSession, picture: bytes, rate: float) -> None:
    async with asyncio.TaskGroup() as uploads:
        while True:
            uploads.create_task(_upload(session, picture))
            await asyncio.sleep(1 / rate)


async def _begun(
    ground: World, session: aiohttp.ClientSession, waits: Waits, picture: bytes, count: int
) -> None:
    """Leaves the others with so many ready assets, and a run under way that renders all of them anew."""
    ear = await listen(ground.env["DARKROOM_URL"], _OTHERS, waits.heard)
    for _ in range(count):
        await waits.until_ready(await _upload(session, picture), time.perf_counter())
    await ear.close()
    file = ground.folder / "presets.json"
    file.write_text(json.dumps(_ANOTHER_SET))
    applied = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops", "presets", "apply", str(file)),
        cwd=ROOT,
        env={**inherited(), **ground.env},
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await applied.wait():
        raise RuntimeError("the set could not be applied")


def results(measured: Mapping[str, Sequence[float]], load: float, bulk: int) -> Results:
    """The table and the file of a finished run."""
    figures = {
        name: {
            "p50_ms": 1000 * rounds.percentile(sorted(seconds), 0.5),
            "p99_ms": 1000 * rounds.percentile(sorted(seconds), 0.99),
        }
        for name, seconds in measured.items()
    }
    return Results(
        title="latency: an upload's 202 → the stream says ready",
        headings=("while", "uploads", "p50 ms", "p99 ms"),
        rows=[
            (name, f"{len(measured[name]):,}", f"{of['p50_ms']:.0f}", f"{of['p99_ms']:.0f}")
            for name, of in figures.items()
        ],
        lines=(f"Load: {load:g} uploads a second of somebody else's. Bulk run: {bulk:,} images.",),
        data={
            "benchmark": "latency",
            "machine": machine.facts(("faust-streaming", "pillow", "uvicorn")),
            "load": load,
            "bulk": bulk,
            "figures": figures,
            "seconds": {name: list(seconds) for name, seconds in measured.items()},
        },
    )

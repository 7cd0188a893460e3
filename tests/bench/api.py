"""`api`: logins, verified requests, reads and writes a second, beside the same doors in NestJS on Express."""

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Annotated
from uuid import UUID

import aiohttp
import typer

from tests.bench import machine, rounds
from tests.bench.door_calls import (
    Call,
    Turn,
    asked,
    asset_of,
    client_session,
    figures,
    registered,
    turn_of,
    until_read,
)
from tests.bench.ground import GENEROUS, world
from tests.bench.meters import Meter
from tests.bench.nest import Account, nest
from tests.bench.results import JsonFile, Results, Rounds, progress, show
from tests.programs import Program, running
from tests.servers import World

OURS, PEER = "darkroom", "nest"
# So many that nobody has more sessions than a person may have: the oldest would end, and their tokens.
_ACCOUNTS = 24
_UPLOAD = {"file_name": "photo.jpg", "content_type": "image/jpeg", "size": 2_000_000, "title": "A title"}

Callers = Annotated[int, typer.Option(min=1, help="Clients at once, each waiting for its answer.")]
Seconds = Annotated[float, typer.Option(min=1, help="Length of each turn.")]
Node = Annotated[Path | None, typer.Option(help="Node 20.9 or newer, with npm beside it.")]


Turns = Mapping[str, Mapping[str, Sequence[Turn]]]


def command(
    callers: Callers = 32,
    seconds: Seconds = 4.0,
    count: Rounds = 5,
    node: Node = None,
    json_file: JsonFile = None,
) -> None:
    """Logins, verified requests, reads and writes a second, beside the same doors in NestJS on Express."""
    with world() as ground:
        env = {**ground.env, **GENEROUS}
        api, projector = Program(["api"], env, ground.folder), Program(["projections"], env, ground.folder)
        with running(projector, api):
            projector.wait_ready()
            api.wait_ready(f"{env['DARKROOM_URL']}/readyz")
            measured = asyncio.run(_measure(ground, api, callers, seconds, count, node))
    show(results(measured, callers), json_file)


async def _measure(
    ground: World, api: Program, callers: int, seconds: float, count: int, node: Path | None
) -> Turns:
    """Rounds in turns, the first not counted."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session(callers))
        url = ground.env["DARKROOM_URL"]
        accounts = [
            await registered(session, url, f"ada-{number}@example.org") for number in range(_ACCOUNTS)
        ]
        asset_id = await asset_of(ground, accounts[0].user_id)
        peer = stack.enter_context(await asyncio.to_thread(nest, ground, accounts, node))
        addresses = {OURS: ground.env["DARKROOM_URL"], PEER: peer.ready}
        meter = Meter({OURS: (api.pid,), PEER: (peer.pid,)})
        calls = {name: await _calls(session, url, accounts, asset_id) for name, url in addresses.items()}
        await until_read(calls[OURS]["GET detail"])
        measured: dict[str, dict[str, list[Turn]]] = {
            kind: {name: [] for name in calls} for kind in calls[OURS]
        }
        with progress() as bar:
            plan = list(rounds.schedule(tuple(calls), tuple(measured), count))
            for number, kind, name in bar.track(plan, description="rounds"):
                turn = await turn_of(calls[name][kind], meter, name, callers, seconds)
                if number >= 0:
                    measured[kind][name].append(turn)
    return measured


async def _calls(
    session: aiohttp.ClientSession, url: str, accounts: Sequence[Account], asset_id: UUID
) -> dict[str, Call]:
    """The kinds of calls, on one program; the first account reads and writes, the others log in."""
    own, *others = ({"email": one.email, "password": one.password} for one in accounts)
    async with session.post(f"{url}/v1/auth/login", json=own) as answer:
        headers = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
    everybody = cycle(others)

    async def log_in() -> None:
        await asked(session, "POST", f"{url}/v1/auth/login", json=next(everybody))

    post, get = partial(asked, session, "POST"), partial(asked, session, "GET")
    return {
        "login": log_in,
        "GET me": partial(get, f"{url}/v1/auth/me", headers=headers),
        "GET detail": partial(get, f"{url}/v1/assets/{asset_id}", headers=headers),
        "POST presign": partial(post, f"{url}/v1/uploads/presign", json=_UPLOAD, headers=headers),
    }


def results(measured: Turns, callers: int) -> Results:
    """The table, the ratios and the file of a finished run."""
    ratios = {
        kind: rounds.paired([turn.rate for turn in by[OURS]], [turn.rate for turn in by[PEER]])
        for kind, by in measured.items()
    }
    return Results(
        title=f"api: one process each, {callers} callers, medians over rounds",
        headings=(
            "call",
            f"{OURS}/s",
            f"{PEER}/s",
            "ratio",
            *(f"{n} p99 ms" for n in (OURS, PEER)),
            "CPU ms",
        ),
        rows=[_row(kind, by, ratios[kind]) for kind, by in measured.items()],
        lines=(
            "A ratio above 1 says that we answer more. CPU is that of the program itself, ours / the peer's.",
        ),
        data={
            "benchmark": "api",
            "machine": machine.facts(("fastapi", "uvicorn", "pydantic", "psycopg", "pyjwt", "pwdlib")),
            "callers": callers,
            "of_peer": ratios,
            "calls": {
                kind: {name: [figures(turn) for turn in of] for name, of in by.items()}
                for kind, by in measured.items()
            },
        },
    )


def _row(kind: str, by: Mapping[str, Sequence[Turn]], ratio: float) -> tuple[str, ...]:
    rates = (f"{statistics.median(turn.rate for turn in by[name]):,.0f}" for name in (OURS, PEER))
    p99 = (f"{statistics.median(turn.p99_ms for turn in by[name]):.1f}" for name in (OURS, PEER))
    cpu = (f"{statistics.median(turn.cpu_ms for turn in by[name]):.2f}" for name in (OURS, PEER))
    return (kind, *rates, f"{ratio:.2f}", *p99, " / ".join(cpu))

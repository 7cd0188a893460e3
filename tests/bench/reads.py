"""`reads`: details and lists a second by one process, remembered and not, beside NestJS on Express."""

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

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
from tests.programs import Program, free_port, running
from tests.servers import World

REMEMBERED, ANEW, PEER = "darkroom", "darkroom, nothing remembered", "nest"
DETAIL, LIST, NOT_CHANGED = "GET detail", "GET list of 20", "GET detail, 304"
_ASSETS = 20

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
    """Details with five signed addresses and lists of 20 a second, with the read cache and without it."""
    with world() as ground:
        env = {**ground.env, **GENEROUS}
        port = free_port()
        without = {"READ_CACHE_BYTES": "0", "PORT": str(port), "DARKROOM_URL": f"http://127.0.0.1:{port}"}
        programs = {
            REMEMBERED: Program(["api"], env, ground.folder),
            ANEW: Program(["api"], env | without, ground.folder),
        }
        projector = Program(["projections"], env, ground.folder)
        with running(projector, *programs.values()):
            projector.wait_ready()
            for program in programs.values():
                program.wait_ready(f"{program.env['DARKROOM_URL']}/readyz")
            measured = asyncio.run(_measure(ground, programs, callers, seconds, count, node))
    show(results(measured, callers), json_file)


async def _measure(
    ground: World,
    programs: Mapping[str, Program],
    callers: int,
    seconds: float,
    count: int,
    node: Path | None,
) -> Turns:
    """Rounds in turns, the first not counted."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session(callers))
        ours = {name: program.env["DARKROOM_URL"] for name, program in programs.items()}
        account = await registered(session, ours[REMEMBERED], "ada@example.org")
        assets = [await asset_of(ground, account.user_id, f"harbour-{number}") for number in range(_ASSETS)]
        peer = stack.enter_context(await asyncio.to_thread(nest, ground, [account], node))
        meter = Meter({name: (program.pid,) for name, program in programs.items()} | {PEER: (peer.pid,)})
        calls = {
            name: await _calls(session, url, account, f"/v1/assets/{assets[-1]}")
            for name, url in {**ours, PEER: peer.ready}.items()
        }
        for name in ours:
            await until_read(calls[name][DETAIL])
        del calls[PEER][LIST], calls[PEER][NOT_CHANGED]  # it has no such doors
        measured: dict[str, dict[str, list[Turn]]] = {kind: {} for kind in calls[REMEMBERED]}
        with progress() as bar:
            plan = list(rounds.schedule(tuple(calls), tuple(measured), count))
            for number, kind, name in bar.track(plan, description="rounds"):
                if kind not in calls[name]:
                    continue
                turn = await turn_of(calls[name][kind], meter, name, callers, seconds)
                if number >= 0:
                    measured[kind].setdefault(name, []).append(turn)
    return measured


async def _calls(session: aiohttp.ClientSession, url: str, account: Account, detail: str) -> dict[str, Call]:
    body = {"email": account.email, "password": account.password}
    async with session.post(f"{url}/v1/auth/login", json=body) as answer:
        headers = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
    get = partial(asked, session, "GET")
    return {
        DETAIL: partial(get, f"{url}{detail}", headers=headers),
        NOT_CHANGED: partial(get, f"{url}{detail}", headers=headers | {"If-None-Match": "*"}),
        LIST: partial(get, f"{url}/v1/assets?limit={_ASSETS}", headers=headers),
    }


def results(measured: Turns, callers: int) -> Results:
    """The table, the ratios and the file of a finished run."""
    of_peer = {
        name: rounds.paired([turn.rate for turn in turns], [turn.rate for turn in measured[DETAIL][PEER]])
        for name, turns in measured[DETAIL].items()
        if name != PEER
    }
    return Results(
        title=f"reads: one process each, {callers} callers, medians over rounds",
        headings=("call", "by", "a second", "p99 ms", "CPU ms"),
        rows=[_row(kind, name, turns) for kind, by in measured.items() for name, turns in by.items()],
        lines=[f"A detail: {ratio:.2f} × {PEER} by {name}." for name, ratio in of_peer.items()],
        data={
            "benchmark": "reads",
            "machine": machine.facts(("fastapi", "uvicorn", "pydantic", "psycopg")),
            "callers": callers,
            "of_peer": of_peer,
            "calls": {
                kind: {name: [figures(turn) for turn in turns] for name, turns in by.items()}
                for kind, by in measured.items()
            },
        },
    )


def _row(kind: str, name: str, turns: Sequence[Turn]) -> tuple[str, ...]:
    rate = statistics.median(turn.rate for turn in turns)
    p99 = statistics.median(turn.p99_ms for turn in turns)
    cpu = statistics.median(turn.cpu_ms for turn in turns)
    return (kind, name, f"{rate:,.0f}", f"{p99:.1f}", f"{cpu:.2f}")

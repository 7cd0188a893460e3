"""The commands of a rebuild, killed and run again beside a running projector; the past; the chained log."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its own way of exporting
from typer.testing import CliRunner

from adapters.read_store import async_pool
from api.queries.past import PostgresPast
from ops.__main__ import commands
from projections.past import queries as past
from projections.past.queries import Moment
from schemas.topics import topic_specs
from tests.integration.projections.live import LiveLog, until
from tests.integration.projections.readers import reading
from tests.programs import ROOT, Program, running
from tests.servers import World

KILLED_AT = 2


@pytest.fixture(scope="module")
def live(world: World) -> Iterator[LiveLog]:
    world.lay_ground()
    live = LiveLog(world)
    program = Program(["projections", "assets"], world.env, world.folder / "projector")
    with running(program):
        program.wait_ready()
        tell(live, *range(40))
        yield live
    live.close()


def tell(live: LiveLog, *assets: object) -> None:
    ada = live.owner("ada")
    for asset in assets:
        live.append(*live.stories.whole(asset, ada))
    live.wait_applied()


def begun(world: World, *words: str) -> subprocess.Popen[str]:
    """A command in a process of its own, to be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "ops", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **world.env},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def said(world: World, *words: str, code: int = 0) -> Any:
    """What a command says, run in this process."""
    answer = CliRunner().invoke(commands(words[0]), [*words, "--json"], env=dict(world.env))
    assert answer.exit_code == code, answer.output
    return json.loads(answer.stdout)


def filled(live: LiveLog) -> set[int]:
    return {number for (number,) in live.rows("select partition from infra.copied_partitions")}


def of(live: LiveLog, query: str, asset_id: UUID) -> list[tuple[Any, ...]]:
    with live.connect() as conn:
        return conn.execute(query.encode(), (asset_id,)).fetchall()


def served(live: LiveLog) -> list[UUID]:
    return [asset_id for (asset_id,) in live.rows("select asset_id from live.assets order by 1")]


def all_ends(live: LiveLog) -> dict[tuple[str, int], int]:
    """Where every topic of ours ends."""
    kafka = live.settings.kafka
    admin, latest = AdminClient(kafka.client()), OffsetSpec.latest()  # type: ignore[no-untyped-call]  # as in topic.py
    specs = topic_specs(kafka.topic_prefix, kafka.partitions, kafka.replication)
    places = [TopicPartition(spec.name, number) for spec in specs for number in range(spec.partitions)]
    asked = admin.list_offsets(dict.fromkeys(places, latest))
    return {(place.topic, place.partition): found.result(20).offset for place, found in asked.items()}


def test_a_rebuild_that_was_killed_goes_on_and_the_switch_shows_the_very_rows(
    world: World, live: LiveLog
) -> None:
    with reading(live):
        killed_rebuilt_and_switched(world, live)


def killed_rebuilt_and_switched(world: World, live: LiveLog) -> None:
    before = live.dump()
    with live.connect() as conn, conn.transaction():
        conn.execute("select from infra.checkpoints where partition = %s for update", (KILLED_AT,))
        process = begun(world, "read-models", "rebuild", "assets", "storage", "--workers", "1", "--json")
        until(lambda: filled(live) == set(range(KILLED_AT)), "the first partitions to be filled")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert live.dump() == before
    tell(live, "meanwhile")
    logs = all_ends(live)
    rebuilt = said(world, "read-models", "rebuild", "assets", "storage", "--workers", "2")
    assert all_ends(live) == logs, "a replay says nothing"
    assert rebuilt["same"] is True
    assert 0 < rebuilt["records"] < 41 * 4
    tell(live, "afterwards")
    assert said(world, "read-models", "verify", "assets", "storage")["same"] is True
    expected = served(live)
    assert said(world, "read-models", "switch", "assets", "storage") == {"switched": ["assets", "storage"]}
    assert served(live) == expected
    tell(live, "in the new one")
    assert len(served(live)) == len(expected) + 1
    status = said(world, "read-models", "status", "--loop", "assets")
    assert [(copy["name"], copy["state"]) for copy in status["copies"]] == [
        ("assets", "former"),
        ("storage", "former"),
    ]
    said(world, "read-models", "rollback", "assets", "storage")
    assert len(served(live)) == len(expected) + 1
    said(world, "read-models", "drop", "assets", "storage")
    tell(live, "and on")
    assert len(served(live)) == len(expected) + 2


def test_the_past_is_folded_again_from_the_records_that_the_feed_names(live: LiveLog) -> None:
    ada = live.owner("ada")
    live.append(*live.stories.whole("past", ada)[:2])
    live.wait_applied()
    asset_id = live.stories.asset_id("past")
    ((then,),) = of(live, "select max(log_time) from live.activity where asset_id = %s", asset_id)
    live.append(*live.stories.whole("past", ada)[2:])
    live.wait_applied()

    async def at(moment: Moment) -> Any:
        async with async_pool(live.settings) as pool:
            door = PostgresPast(pool, live.settings.kafka)
            spots = await door.spots(ada, [asset_id, live.stories.asset_id(1)], moment, 100)
            changed = past.states(await door.records(spots), live.codec)
            assert (await door.begun(ada, moment, None, 1))[0].asset_id == asset_id
            assert await door.beginning() is not None
            return past.rows(changed, live.keys)

    was = asyncio.run(at(Moment(log_time=then)))
    assert was[asset_id].status == "uploaded"
    assert was[asset_id].title == "Title past"
    assert was[live.stories.asset_id(1)].status == "ready"
    ((now,),) = live.rows("select max(log_time) from live.activity")
    now_row = asyncio.run(at(Moment(log_time=now)))[asset_id]
    query = "select position_partition, position_offset from live.assets where asset_id = %s"
    ((partition, offset),) = of(live, query, asset_id)
    assert (now_row.position_partition, now_row.position_offset) == (partition, offset)
    assert now_row.status == "ready"


def test_the_chained_log_is_checked_offline_and_against_the_live_one(
    world: World, live: LiveLog, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    exported = said(world, "audit", "export", str(folder))
    assert exported["records"] >= len(live.records())
    live.append(*live.stories.whole("later", live.owner("ada")))
    checked = said(world, "audit", "verify", str(folder), "--live")
    assert checked == {"records": exported["records"], "live": True, "wrong": []}
    (largest,) = sorted(folder.glob("*assets*.jsonl"), key=lambda path: path.stat().st_size)[-1:]
    largest.write_text("".join(largest.read_text().splitlines(keepends=True)[1:]))
    (sentence,) = said(world, "audit", "verify", str(folder), code=3)["wrong"]
    assert sentence.startswith(largest.name)


def test_an_operator_asks_for_the_state_at_an_instant(world: World, live: LiveLog) -> None:
    asset_id = live.stories.asset_id(1)
    ((then,),) = of(live, "select min(log_time) from live.activity where asset_id = %s", asset_id)
    (state,) = said(world, "state", "--at", then.isoformat(), "--asset", str(asset_id))["states"]
    assert (state["asset_id"], state["status"]) == (str(asset_id), "requested")
    assert said(world, "state", "--at", "2001-01-01T00:00:00+00:00")["assets"] == 0

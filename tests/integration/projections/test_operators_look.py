"""Jobs as operators look at them from a shell: by Postgres alone, and readable on a small terminal."""

import asyncio
import json
from uuid import UUID

from adapters.settings import Settings
from tests.integration.contract.commands import Ran, run_ops
from tests.integration.projections.rows import HandFolded
from tests.servers import World
from tests.unit.projections.stories import PlainLog, Stories

NOBODY = "127.0.0.1:9"


def looked(world: World, database: Settings, *words: str) -> Ran:
    """The command, where neither the brokers nor the registry nor the store can be reached."""
    return run_ops(
        world,
        *words,
        COLUMNS="80",
        DATABASE_URL=database.postgres.url.get_secret_value(),
        KAFKA_BOOTSTRAP_SERVERS=NOBODY,
        SCHEMA_REGISTRY_URL=f"http://{NOBODY}",
        S3_ENDPOINT=f"http://{NOBODY}",
    )


def test_each_attempt_tells_worker_code_times_and_cost_within_80_columns(
    world: World, database: Settings, folded: HandFolded, stories: Stories
) -> None:
    ada, log = asyncio.run(stories.owner("ada")), PlainLog(4)
    log.append(stories.requested("sea", ada), stories.completed("sea", ada))
    log.append(stories.started("sea", ada), stories.failed("sea", ada, again=True))
    log.append(stories.started("sea", ada, 2), stories.started("sea", ada, 3), stories.ready("sea", ada, 3))
    folded.apply(list(log.records()))
    job_id = str(stories.completed("sea", ada).job_id)
    shown = looked(world, database, "jobs", "show", job_id)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    first, lost, last = (at for at, line in enumerate(lines) if line.startswith("attempt "))
    failed, ready = stories.failed("sea", ada, again=True), stories.ready("sea", ada, 3)
    worker = stories.started("sea", ada).worker
    assert lines[first] == f"attempt 1: failed ({failed.kind}/{failed.code}), {worker}"
    assert lines[lost].startswith("attempt 2: lost, ")
    assert lines[lost + 1].endswith("ended –")
    assert lines[last].startswith("attempt 3: completed, ")
    assert f"{ready.occurred_at:%Y-%m-%dT%H:%M:%S}" in lines[last + 1]
    assert f"CPU {ready.cost.cpu_ms:,} ms, wall {ready.cost.wall_ms:,} ms" in lines[last + 2]
    history = json.loads(looked(world, database, "jobs", "show", job_id, "--json").stdout)["history"]
    assert [one["outcome"] for one in history] == ["failed", "lost", "completed"]


def test_lists_and_numbers_need_no_broker_and_say_what_they_leave_out(
    world: World, database: Settings, folded: HandFolded, stories: Stories
) -> None:
    assert looked(world, database, "jobs", "list").stdout == "There are no such jobs.\n"
    assert looked(world, database, "jobs", "stats").stdout == "There have been no jobs yet.\n"
    ada, log = asyncio.run(stories.owner("ada")), PlainLog(4)
    for asset in ("sea", "sky"):
        log.append(*stories.whole(asset, ada))
    folded.apply(list(log.records()))
    every = json.loads(looked(world, database, "jobs", "list", "--json").stdout)
    assert {one["asset_id"] for one in every} == {str(stories.asset_id(name)) for name in ("sea", "sky")}
    cut = looked(world, database, "jobs", "list", "--limit", "1", "--json")
    assert json.loads(cut.stdout) == every[:1]
    assert "more than these 1" in cut.stderr
    assert "more than" not in looked(world, database, "jobs", "list", "--limit", "2").stderr
    of_no_run = looked(world, database, "jobs", "list", "--run", str(UUID(int=7)), "--json")
    assert json.loads(of_no_run.stdout) == []
    numbers = looked(world, database, "jobs", "stats")
    assert numbers.stdout.startswith("live: 2 completed\n")


def test_what_is_no_id_is_a_mistake_and_what_is_nobodys_is_not_there(
    world: World, database: Settings, folded: HandFolded
) -> None:
    del folded  # empty read models
    assert looked(world, database, "jobs", "show", "seven").returncode == 2
    assert looked(world, database, "jobs", "show", str(UUID(int=7))).returncode == 3
    gone = run_ops(world, "jobs", "list", DATABASE_URL=f"postgresql://nobody@{NOBODY}/nowhere")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "Postgres can't be reached" in gone.stderr

"""The projector as a program with both its loops: killed, reset, run for one log alone, and heard to live."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.checkpoints import LOOPS
from projections.waiting import PositionWatch
from schemas.events import IdentityEvent
from schemas.partitioner import partition_for
from tests.integration.projections.live import LiveLog, until
from tests.integration.projections.rows import IDENTITY_TABLES, Dump, HandFolded, prepare
from tests.programs import ROOT, Program, asked, running
from tests.servers import World
from tests.unit.projections.account_stories import AccountStories, Person


@pytest.fixture(scope="module")
def live(world: World) -> Iterator[LiveLog]:
    """A log with its ground laid, and somebody who writes to it."""
    world.lay_ground()
    live = LiveLog(world, loop="identity")
    yield live
    live.close()


@pytest.fixture(scope="module")
def people(live: LiveLog) -> AccountStories:
    return AccountStories("live", live.keys)


def person(people: AccountStories, address: str) -> Person:
    return asyncio.run(people.person(address))


def whole(people: AccountStories, address: str) -> list[IdentityEvent]:
    return people.whole(person(people, address))


def folded_again(world: World, live: LiveLog) -> Dump:
    """The rows that a fresh database has of the same log, folded by hand one record at a time."""
    chosen = world.settings("again", DATABASE_URL=world.servers.new_database())
    prepare(chosen)
    partitions = live.settings.kafka.partitions
    models = HandFolded(chosen, live.keys, partitions, live.codec, loop="identity")
    models.open()
    models.apply(*([record] for record in live.records()))
    rows = models.dump()
    models.close()
    return rows


def ops(world: World, *words: str) -> Any:
    """What `python -m ops … --json` prints."""
    env = {**world.env, "STATE_DIR": str(world.folder / "ops"), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "ops", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def heard(world: World, live: LiveLog, key: str) -> bool:
    """Whether a door comes to hear that somebody follows the account's partition."""
    watch = PositionWatch(world.settings("watch").postgres.url.get_secret_value())
    await watch.start()
    partition = partition_for(key.encode(), live.settings.kafka.partitions)
    for _ in range(300):
        if watch.alive(live.loop.topic, partition):
            break
        await asyncio.sleep(0.05)
    await watch.close()
    return watch.alive(live.loop.topic, partition)


def test_one_process_follows_all_logs_and_is_killed_around_its_commit(
    world: World, live: LiveLog, people: AccountStories, tmp_path: Path
) -> None:
    assets = LiveLog(world, "other")
    key = people.account_key("ada")
    dying = Program(
        ["projections"], {**world.env, "FAILPOINTS": "projector.before_database_commit=kill@2"}, tmp_path
    )
    with running(dying):
        dying.wait_ready()
        live.append(*whole(people, "ada"))
        assets.append(*assets.stories.whole("sea", assets.owner("ada")))
        live.append(*whole(people, "ben"))
        until(lambda: not dying.alive(), "the failpoint")
        del dying.env["FAILPOINTS"]
        dying.restart().wait_ready()
        live.wait_applied()
        assets.wait_applied()
        said = ops(world, "read-models", "status")
        assert [(each["loop"], each["lag"], each["set_aside"]) for each in said["loops"]] == [
            (name, 0, 0) for name in LOOPS
        ]
        assert asyncio.run(heard(world, live, key))
        text = asked(f"{dying.metrics_url}/metrics").text
        assert all(f'darkroom_projector_position{{partition="0",topic="{t}"}}' in text for t in topics(live))
        until(lambda: live.group_lag() == 0, "the group's offsets to follow")
    assets.close()
    assert live.dump(*IDENTITY_TABLES) == folded_again(world, live)


def topics(live: LiveLog) -> tuple[str, str]:
    found = live.settings.kafka.topics
    return found.assets, found.identity


def test_one_log_alone_is_followed_and_replayed(
    world: World, live: LiveLog, people: AccountStories, tmp_path: Path
) -> None:
    ada = person(people, "cai")
    erasure = people.erased(ada, 3)
    with running(alone := Program(["projections", "identity"], world.env, tmp_path)):
        alone.wait_ready()
        live.append(*people.whole(ada), erasure, people.completed(ada, erasure))
        live.wait_applied()
        before = live.dump(*IDENTITY_TABLES)
        told = ops(world, "read-models", "reset", "--loop", "identity", "--wait")
        assert [each["loop"] for each in told["loops"]] == ["identity"]
        live.wait_applied()
        assert live.dump(*IDENTITY_TABLES) == before
        assert "assets.v1" not in asked(f"{alone.metrics_url}/metrics").text

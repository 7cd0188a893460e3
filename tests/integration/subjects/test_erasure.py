"""A person is forgotten: killed at each step it goes on, and nothing readable is left anywhere (R28)."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from ops.erasures import receipt
from tests.integration.subjects.people import CANARY, People, Person
from tests.operators import told
from tests.programs import Program, running
from tests.servers import World

SHORT = {"JOB_TIMEOUT": "1s", "JOB_BUDGET": "1s", "OUTAGE_BUDGET": "1s", "BULK_JOB_BUDGET": "1s"}
STEPS = (
    "erasure.after_keys",
    "erasure.after_purge",
    "erasure.after_objects",
    "erasure.after_compaction",
)


@pytest.fixture(scope="module")
def ground(world: World) -> World:
    world.lay_ground()
    return world


@pytest.fixture(scope="module")
def arrow(ground: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, ...]]:
    """The projector and a purge worker."""
    folder, env = tmp_path_factory.mktemp("arrow"), {**ground.env, **SHORT}
    programs = Program(["projections"], env, folder), Program(["processors", "purge"], env, folder)
    with running(*programs):
        for program in programs:
            program.wait_ready()
        yield programs


@pytest.fixture
async def people(ground: World) -> AsyncIterator[People]:
    people = People(ground.settings("people"))
    yield people
    await people.close()


async def verified(world: World, user: UUID) -> tuple[int, dict[str, list[str]]]:
    """What `verify-erasure` says: its exit code, and what it found readable, by place."""
    code, said = await asyncio.to_thread(told, world, "subjects", "verify-erasure", str(user))
    return code, {each["place"]: each["found"] for each in said["places"]}


def wait(true: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def run_killed_at_each_step(world: World, folder: Path) -> None:
    """Runs the process that erases, killed at one step after the other."""
    for step in STEPS:
        env = {**world.env, **SHORT, "FAILPOINTS": f"{step}=kill"}
        with running(Program(["ops", "erasures", "run"], env, folder / step)) as (program,):
            assert program.process.wait(90) == -9, program.output()[-2000:]


async def test_a_person_is_forgotten_whoever_dies_on_the_way(
    ground: World, arrow: tuple[Program, ...], people: People, tmp_path: Path
) -> None:
    assert all(program.alive() for program in arrow)
    ada, ben = await people.person("ada"), await people.person("ben")
    of_ada = [await people.asset(ada.user_id) for _ in range(2)]
    of_ben = await people.asset(ben.user_id)
    await asyncio.to_thread(wait, lambda: len(people.rows("select 1 from live.assets")) == 3, "the rows")

    people.execute("insert into api.key_uses values (gen_random_uuid(), %s, now())", ada.user_id)
    code, found = await verified(ground, ada.user_id)
    assert code == 3
    assert all(found.values()), found  # there is something to be found in every place

    erasure = await asked(ground, people, ada)
    await asyncio.to_thread(run_killed_at_each_step, ground, tmp_path)
    # What stands there although its purge is done with, as when that became a dead letter.
    await people.store.put(f"assets/{of_ada[0]}/left", b"over", content_type="image/jpeg")

    async def late() -> None:
        """By a door whose deny list was young: a new key, and an asset that no step so far has seen."""
        of_ada.append(await people.asset(ada.user_id))

    await completed(ground, people, erasure, tmp_path, after_first_round=late)
    assert purged(people, of_ada)
    await erased_anew_where_a_key_came_back(ground, people, ada, erasure, tmp_path)

    nothing: tuple[int, dict[str, list[str]]] = (0, {place: [] for place in found})
    both = (verified(ground, user) for user in (ada.user_id, ada.lost))
    assert await asyncio.gather(*both) == [nothing, nothing]
    for asset_id in of_ada:
        assert await people.objects(f"assets/{asset_id}/") == []
    await receipt_is_true(ground, erasure, ada)
    assert len(await people.objects(f"assets/{of_ben}/")) == 2
    reset = await asyncio.to_thread(told, ground, "read-models", "reset", "--wait")
    assert reset[0] == 0
    assert await verified(ground, ada.user_id) == nothing
    assert no_canary(people)
    titles = people.rows("select title from live.assets")
    assert titles == [(CANARY,)]  # ben's


def purged(people: People, asset_ids: list[UUID]) -> bool:
    """Whether the log holds a purge of each."""
    told = "select distinct asset_id from live.activity where event_type = 'AssetPurged'"
    return {row[0] for row in people.rows(told)} == set(asset_ids)


async def erased_anew_where_a_key_came_back(
    world: World, people: People, person: Person, erasure: UUID, folder: Path
) -> None:
    """As after a restored back-up of the key topic: the next start finds a living key."""
    await people.keys.data_key(person.user_id)
    assert (await verified(world, person.user_id))[0] == 3
    await completed(world, people, erasure, folder)


async def asked(world: World, people: People, person: Person) -> UUID:
    """Asks for the erasure, and waits until it is known to be under way."""
    erasure = await people.erase(person)
    row = "select 1 from live.erasures where erasure_id = %s"
    await asyncio.to_thread(wait, lambda: people.rows(row, erasure), "the erasure's row")
    assert (await asyncio.to_thread(told, world, "erasures", "status", str(erasure)))[0] == 4
    return erasure


async def completed(
    world: World,
    people: People,
    erasure: UUID,
    folder: Path,
    after_first_round: Callable[[], Awaitable[None]] | None = None,
) -> None:
    pause = {} if after_first_round is None else {"FAILPOINTS": "erasure.after_compaction=sleep:4@1"}
    env = {**world.env, **SHORT, **pause}
    program = Program(["ops", "erasures", "run", "--until-done"], env, folder / "last")
    with running(program):
        if after_first_round is not None:
            await asyncio.to_thread(wait, lambda: "erasure_round" in program.output(), "a round")
            await after_first_round()
        await asyncio.to_thread(wait, lambda: not program.alive(), "the end of the erasure", 120)
    assert program.process.returncode == 0, program.output()[-2000:]
    done = "select 1 from live.erasures where erasure_id = %s and completed_at is not null"
    await asyncio.to_thread(wait, lambda: people.rows(done, erasure), "the receipt")


async def receipt_is_true(world: World, erasure: UUID, person: Person) -> None:
    code, said = await asyncio.to_thread(told, world, "erasures", "status", str(erasure))
    assert code == 0
    assert said["statement"] == {"data_keys_erased": 3, "assets_purged": 3, "signature": "valid"}
    key = receipt.receipt_key(world.settings("receipts").secrets.id_key).public_key()
    assert receipt.read(key, said["receipt"].encode()).user_id == person.user_id


def no_canary(people: People) -> bool:
    """Whether no row of any read model says anything of an erased person in the clear."""
    said = people.rows("select count(*) from live.accounts a where a::text like '%%ada.canary%%'")
    return said == [(0,)]

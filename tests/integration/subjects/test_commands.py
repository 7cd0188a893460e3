"""The commands about keys, as an operator runs them: what they say, and their exit codes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.subject_keys import Custody
from ops.erasures.receipt import receipt_key
from ops.signed import public_pem
from tests import operators
from tests.contract.test_kafka_subject_keys import A_MASTER, B_MASTER
from tests.integration.subjects.people import People
from tests.programs import Program, asked, running
from tests.servers import World


@pytest.fixture(scope="module")
def ground(world: World) -> World:
    world.env["MASTER_KEY"] = A_MASTER
    world.lay_ground()
    return world


@pytest.fixture
async def people(ground: World) -> AsyncIterator[People]:
    people = People(ground.settings(uuid4().hex))
    yield people
    await people.close()


async def told(world: World, *words: str, **changed: str) -> tuple[int, Any]:
    return await asyncio.to_thread(operators.told, world, *words, **changed)


async def test_a_master_key_is_rotated_and_an_erased_key_stays_erased(ground: World, people: People) -> None:
    ada, ben = uuid4(), uuid4()
    of_ada, of_ben = [await people.keys.data_key(user) for user in (ada, ben)]
    sealed = people.keys.seal(ben, of_ben, "sealed_words", b"words")
    forgotten = people.keys.seal(ada, of_ada, "sealed_words", b"words")
    custody = Custody(people.keys, people.log, people.settings.secrets.master_keys, source="/test")
    custody.erase(ada)

    code, said = await told(ground, "subjects", "rewrap", MASTER_KEY=B_MASTER)
    assert (code, said["done"], said["unwrappable"]) == (3, 0, 1)
    both = f"{B_MASTER},{A_MASTER}"
    code, said = await told(ground, "subjects", "rewrap", MASTER_KEY=both)
    assert (code, said) == (0, {"master_key_id": "b", "done": 1, "before": 0, "unwrappable": 0})
    code, said = await told(ground, "subjects", "rewrap", MASTER_KEY=both)
    assert (code, said["done"], said["before"]) == (0, 0, 1)

    fresh = People(ground.settings(uuid4().hex, MASTER_KEY=B_MASTER))
    assert await asyncio.to_thread(fresh.keys.wait_until_current, 15)
    assert fresh.keys.open(ben, "sealed_words", sealed) == b"words"
    assert fresh.keys.open(ada, "sealed_words", forgotten) is None
    await fresh.close()

    code, said = await told(ground, "subjects", "compact", MASTER_KEY=both)
    assert (code, said) == (0, {"outlived": 2, "left": 0})


async def test_what_cant_be_told_is_said_in_a_sentence(ground: World) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/x"
    done = await asyncio.to_thread(operators.ran, ground, "erasures", "list", DATABASE_URL=nowhere)
    assert (done.returncode, "Postgres can't be reached" in done.stderr) == (1, True)
    done = await asyncio.to_thread(operators.ran, ground, "erasures", "status", str(uuid4()))
    assert (done.returncode, "There is no erasure" in done.stderr) == (3, True)
    done = await asyncio.to_thread(
        operators.ran, ground, "subjects", "compact", "--wait", "1", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1"
    )
    assert (done.returncode, "can't be reached" in done.stderr) == (1, True)


async def test_the_public_key_is_that_of_the_installation(ground: World) -> None:
    done = await asyncio.to_thread(operators.ran, ground, "erasures", "public-key")
    assert done.stdout == public_pem(receipt_key(ground.settings("test").secrets.id_key))


async def test_while_postgres_is_away_the_process_that_erases_waits_and_says_so(
    ground: World, tmp_path: Path
) -> None:
    env = {**ground.env, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}
    with running(Program(["ops", "erasures", "run"], env, tmp_path)) as (program,):
        said = await asyncio.to_thread(not_ready, program, "OperationalError")
        assert program.alive(), said
        assert await asyncio.to_thread(program.stop) == 0


def not_ready(program: Program, reason: str) -> str:
    """Waits until the process says that it is not ready for this reason."""
    deadline, said = time.monotonic() + 40, ""
    while reason not in said:
        assert time.monotonic() < deadline, (said, program.output()[-2000:])
        with contextlib.suppress(httpx.HTTPError):
            answer = asked(f"{program.metrics_url}/readyz", 2.0)
            said = answer.text if answer.status_code == 503 else ""
        time.sleep(0.1)
    return said

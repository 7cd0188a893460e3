"""Erasing and wrapping anew on the real key topic, and each crossing the other."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from adapters.event_log import KafkaEventLog
from adapters.settings import Settings
from adapters.subject_keys import Custody, KafkaSubjectKeys, UnknownKey
from schemas.events import SubjectKey
from tests.contract.ground import make_topics, metadata
from tests.contract.test_kafka_subject_keys import A_MASTER, B_MASTER, elsewhere, process, records
from tests.servers import World


@pytest.fixture
def settings(world: World) -> Settings:
    """Settings with topics of the test's own, and one master key."""
    made = world.settings(uuid4().hex, TOPIC_PREFIX=f"c{uuid4().hex[:10]}", MASTER_KEY=A_MASTER)
    make_topics(made.kafka)
    return made


def custody(settings: Settings, keys: KafkaSubjectKeys, log: KafkaEventLog) -> Custody:
    held = Custody(keys, log, settings.secrets.master_keys, source="/test")
    held.wait_until_current(15)
    return held


async def sealed_by(settings: Settings, *users: UUID) -> list[bytes]:
    async with process(settings) as (keys, _):
        return [keys.seal(user, await keys.data_key(user), "sealed_words", b"words") for user in users]


def wait_for_the_second_marker(settings: Settings) -> None:
    deadline = time.monotonic() + 40
    while [event.erased for event in records(settings)] != [False, True, False, True]:
        assert time.monotonic() < deadline, "the marker is not said again"
        time.sleep(0.1)


async def test_every_key_of_the_person_is_erased_and_nobody_elses(world: World, settings: Settings) -> None:
    ada, ben = uuid4(), uuid4()
    of_ada, of_ben = await sealed_by(settings, ada, ben)
    async with process(elsewhere(world, settings, MASTER_KEY=A_MASTER)) as (keys, log):
        held = custody(settings, keys, log)
        (key_id,) = held.living(ada)
        assert await asyncio.to_thread(held.erase, ada) == [key_id]
        assert await asyncio.to_thread(held.erase, ada) == []  # nothing is left to say
        assert (held.living(ada), held.all_of(ada)) == ([], [key_id])
        assert keys.open(ada, "sealed_words", of_ada) is None
        assert keys.open(ben, "sealed_words", of_ben) == b"words"
    assert [event.erased for event in records(settings) if event.user_id == ada] == [False, True]


async def test_after_a_rewrap_the_old_master_key_is_not_needed(world: World, settings: Settings) -> None:
    users = [uuid4() for _ in range(5)]
    sealed = await sealed_by(settings, *users)
    both = elsewhere(world, settings, MASTER_KEY=f"{B_MASTER},{A_MASTER}")
    seen: list[tuple[int, int]] = []
    async with process(both) as (keys, log):
        held = custody(both, keys, log)
        held.erase(users[0])
        anew = await asyncio.to_thread(held.rewrap, lambda done, of: seen.append((done, of)))
        assert (anew.done, anew.before, anew.unwrappable) == (4, 0, 0)
        assert seen[-1] == (4, 4)
        again = await asyncio.to_thread(held.rewrap)
        assert (again.done, again.before) == (0, 4)
    async with process(elsewhere(world, settings, MASTER_KEY=B_MASTER)) as (keys, _):
        assert keys.open(users[0], "sealed_words", sealed[0]) is None
        for user, one in zip(users[1:], sealed[1:], strict=True):
            assert keys.open(user, "sealed_words", one) == b"words"
    async with process(elsewhere(world, settings, MASTER_KEY=A_MASTER)) as (keys, _):
        with pytest.raises(UnknownKey):
            keys.open(users[1], "sealed_words", sealed[1])


async def test_a_rewrap_that_was_killed_goes_on(world: World, settings: Settings) -> None:
    users = [uuid4() for _ in range(4)]
    await sealed_by(settings, *users)
    both = elsewhere(world, settings, MASTER_KEY=f"{B_MASTER},{A_MASTER}")

    class Killed(BaseException):
        pass

    def killed(done: int, _of: int) -> None:
        if done == 2:
            raise Killed

    async with process(both) as (keys, log):
        with pytest.raises(Killed):
            custody(both, keys, log).rewrap(killed)
    async with process(elsewhere(world, both, MASTER_KEY=f"{B_MASTER},{A_MASTER}")) as (keys, log):
        anew = await asyncio.to_thread(custody(both, keys, log).rewrap)
    assert (anew.done, anew.before) == (2, 2)


async def test_a_key_whose_master_key_is_missing_is_counted_and_kept(
    world: World, settings: Settings
) -> None:
    user = uuid4()
    (sealed,) = await sealed_by(settings, user)
    only_b = elsewhere(world, settings, MASTER_KEY=B_MASTER)
    async with process(only_b) as (keys, log):
        anew = await asyncio.to_thread(custody(only_b, keys, log).rewrap)
    assert (anew.done, anew.unwrappable) == (0, 1)
    async with process(elsewhere(world, settings, MASTER_KEY=A_MASTER)) as (keys, _):
        assert keys.open(user, "sealed_words", sealed) == b"words"


async def test_a_rewrap_that_crosses_an_erasure_brings_nothing_back(world: World, settings: Settings) -> None:
    """The key as it was re-wrapped lands behind its marker: the marker stays, and is said again."""
    user = uuid4()
    (sealed,) = await sealed_by(settings, user)
    async with process(elsewhere(world, settings, MASTER_KEY=f"{B_MASTER},{A_MASTER}")) as (keys, log):
        held = custody(settings, keys, log)
        (key_id,) = held.living(user)
        key = next(event for event in records(settings) if event.user_id == user)
        held.erase(user)
        late = SubjectKey(
            event_id=uuid4(),
            occurred_at=datetime.now(UTC),
            user_id=user,
            key_id=key_id,
            master_key_id=key.master_key_id,
            wrapped=key.wrapped,
        )
        await log.append(late, metadata())
        assert await asyncio.to_thread(keys.wait_until_current, 10)
        await asyncio.to_thread(wait_for_the_second_marker, settings)
        assert held.living(user) == []
        assert (await asyncio.to_thread(held.rewrap)).done == 0
    async with process(elsewhere(world, settings, MASTER_KEY=f"{B_MASTER},{A_MASTER}")) as (keys, _):
        assert keys.open(user, "sealed_words", sealed) is None


async def test_keys_that_no_master_key_opens_are_a_trouble_of_who_follows_them(
    world: World, settings: Settings
) -> None:
    """Nothing else would tell of an entry that MASTER_KEY lacks, until somebody asks for such a key."""
    only_b = elsewhere(world, settings, MASTER_KEY=B_MASTER)
    async with process(only_b) as (keys, _):
        await eventually(lambda: keys.trouble() is None)
        async with process(settings) as (others, _):
            await others.data_key(uuid4())
        await eventually(lambda: "MASTER_KEY lacks a" in (keys.trouble() or ""))
    async with process(only_b) as (keys, _):  # by what its file knows, too
        await eventually(lambda: "MASTER_KEY lacks a" in (keys.trouble() or ""))
        both = elsewhere(world, settings, MASTER_KEY=f"{B_MASTER},{A_MASTER}")
        async with process(both) as (with_both, log):
            anew = await asyncio.to_thread(custody(both, with_both, log).rewrap)
            assert anew.done == 1
        await eventually(lambda: keys.trouble() is None)


async def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)

"""The contract of people's data keys, met by those in memory and by those of the key topic."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from adapters.event_log import KafkaEventLog
from adapters.sealing import open_json, seal_json
from adapters.subject_keys import (
    InMemorySubjectKeys,
    KafkaSubjectKeys,
    KeyErased,
    SealBroken,
    SubjectKeys,
    UnknownKey,
)
from adapters.telemetry import Metrics
from schemas.codec import Codec
from schemas.events import SubjectKey
from tests.contract.ground import make_topics, metadata
from tests.servers import World


@dataclass(frozen=True, slots=True)
class Subject:
    """Keys, and a way to erase one of a person's."""

    keys: SubjectKeys
    erase: Callable[[UUID, UUID], Awaitable[None]]


@pytest.fixture(scope="module")
def prepared(world: World) -> World:
    make_topics(world.settings().kafka)
    return world


@pytest.fixture(params=["memory", "kafka"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        memory = InMemorySubjectKeys()

        async def forget(user_id: UUID, key_id: UUID) -> None:
            memory.erase(user_id)

        yield Subject(memory, forget)
        return
    world: World = request.getfixturevalue("prepared")
    settings = world.settings(uuid4().hex)
    log = KafkaEventLog(settings.kafka, Codec.local(), metrics=Metrics().log)
    keys = KafkaSubjectKeys(settings, Codec.local(), log, component="test")

    async def mark(user_id: UUID, key_id: UUID) -> None:
        marker = SubjectKey(
            event_id=uuid4(), occurred_at=datetime.now(UTC), user_id=user_id, key_id=key_id, erased=True
        )
        await log.append(marker, metadata())
        assert await asyncio.to_thread(keys.wait_until_current, 10)

    keys.start()
    yield Subject(keys, mark)
    await asyncio.to_thread(keys.close)
    await log.close()


async def test_a_person_has_one_key_however_often_it_is_asked_for(subject: Subject) -> None:
    ada, ben = uuid4(), uuid4()
    of_ada = await asyncio.gather(*(subject.keys.data_key(ada) for _ in range(5)))
    assert len(set(of_ada)) == 1
    assert await subject.keys.data_key(ben) not in of_ada
    assert await subject.keys.data_key(ada) == of_ada[0]


async def test_what_is_sealed_is_hidden_and_opens_again(subject: Subject) -> None:
    user = uuid4()
    key = await subject.keys.data_key(user)
    sealed = subject.keys.seal(user, key, "sealed_words", b"Ferien am Meer")
    assert b"Ferien" not in sealed
    assert sealed != subject.keys.seal(user, key, "sealed_words", b"Ferien am Meer")
    assert subject.keys.open(user, "sealed_words", sealed) == b"Ferien am Meer"


async def test_json_is_sealed_and_opened(subject: Subject) -> None:
    user = uuid4()
    key = await subject.keys.data_key(user)
    words: dict[str, object] = {"title": "Süden ☀", "tags": ["a", "b"], "description": None}
    sealed = seal_json(subject.keys, user_id=user, key_id=key, field="sealed_words", value=words)
    assert open_json(subject.keys, user_id=user, field="sealed_words", sealed=sealed) == words
    bare = subject.keys.seal(user, key, "sealed_words", b"[1]")
    with pytest.raises(SealBroken):
        open_json(subject.keys, user_id=user, field="sealed_words", sealed=bare)


async def test_a_sealed_value_stands_in_for_no_other(subject: Subject) -> None:
    ada, ben = uuid4(), uuid4()
    key = await subject.keys.data_key(ada)
    sealed = subject.keys.seal(ada, key, "sealed_words", b"words")
    with pytest.raises(SealBroken):
        subject.keys.open(ada, "sealed_facts", sealed)
    with pytest.raises(UnknownKey):
        subject.keys.open(ben, "sealed_words", sealed)


@pytest.mark.parametrize("place", [0, 20, 30, -1])
async def test_an_altered_value_is_told(subject: Subject, place: int) -> None:
    user = uuid4()
    key = await subject.keys.data_key(user)
    sealed = bytearray(subject.keys.seal(user, key, "sealed_words", b"words"))
    sealed[place] ^= 1
    with pytest.raises(SealBroken):
        subject.keys.open(user, "sealed_words", bytes(sealed))
    with pytest.raises(SealBroken):
        subject.keys.open(user, "sealed_words", b"\x01short")


async def test_a_key_that_nobody_knows_is_an_outage(subject: Subject) -> None:
    user = uuid4()
    sealed = subject.keys.seal(user, await subject.keys.data_key(user), "sealed_words", b"words")
    strange = sealed[:1] + uuid4().bytes + sealed[17:]
    with pytest.raises(UnknownKey):
        subject.keys.open(user, "sealed_words", strange)
    with pytest.raises(UnknownKey):
        subject.keys.seal(user, uuid4(), "sealed_words", b"words")


async def test_what_was_erased_is_gone_and_nothing_is_sealed_with_it_again(subject: Subject) -> None:
    user = uuid4()
    key = await subject.keys.data_key(user)
    sealed = subject.keys.seal(user, key, "sealed_words", b"words")
    mac = subject.keys.mac(user, key, b"body")
    await subject.erase(user, key)
    assert subject.keys.open(user, "sealed_words", sealed) is None
    assert open_json(subject.keys, user_id=user, field="sealed_words", sealed=sealed) is None
    assert not subject.keys.mac_matches(user, mac, b"body")
    with pytest.raises(KeyErased):
        subject.keys.seal(user, key, "sealed_words", b"words")
    with pytest.raises(KeyErased):
        subject.keys.mac(user, key, b"body")
    assert await subject.keys.data_key(user) != key


async def test_a_keyed_hash_fits_its_data_and_its_person(subject: Subject) -> None:
    ada, ben = uuid4(), uuid4()
    key = await subject.keys.data_key(ada)
    mac = subject.keys.mac(ada, key, b"body")
    assert len(mac) == 48
    assert mac == subject.keys.mac(ada, key, b"body")
    assert subject.keys.mac_matches(ada, mac, b"body")
    assert not subject.keys.mac_matches(ada, mac, b"another")
    assert subject.keys.mac(ben, await subject.keys.data_key(ben), b"body")[16:] != mac[16:]
    with pytest.raises(SealBroken):
        subject.keys.mac_matches(ada, mac[:-1], b"body")


async def test_all_that_the_topic_holds_becomes_known(subject: Subject) -> None:
    assert await asyncio.to_thread(subject.keys.wait_until_current, 10)

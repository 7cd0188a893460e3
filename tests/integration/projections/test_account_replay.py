"""R08: the read models of the identity log, folded again, have the very same rows, however it is cut."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.subject_keys import InMemorySubjectKeys
from projections import operating
from projections.records import Record
from schemas.events import IdentityEvent
from tests.integration.projections.mixing import mixed
from tests.integration.projections.rows import SET_ASIDE, Dump, HandFolded, prepare
from tests.servers import World
from tests.unit.projections.account_stories import AccountStories, Person
from tests.unit.projections.stories import PlainLog

PARTITIONS = 3
ADDRESSES = ("ada", "ben", "cai")
LIVES = 3
RELAXED = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Read models to fold into, and whom the stories are about: of each address those who ask for it."""

    models: HandFolded
    people: AccountStories
    who: dict[str, tuple[Person, ...]]

    @property
    def tables(self) -> tuple[str, ...]:
        return (*self.models.tables, SET_ASIDE, "infra.dead_lettered")


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[Stage]:
    people = AccountStories()

    async def asking(address: str) -> tuple[Person, ...]:
        return tuple([await people.person(address, nth) for nth in range(LIVES)])

    who = {address: asyncio.run(asking(address)) for address in ADDRESSES}
    chosen = world.settings("account-replay", DATABASE_URL=world.servers.new_database())
    prepare(chosen)
    models = HandFolded(chosen, people.keys, PARTITIONS, loop="identity")
    models.begin_anew()
    yield Stage(models=models, people=people, who=who)
    models.close()


def whole_story(stage: Stage, address: str) -> list[IdentityEvent]:
    """Two lives of an account, one after the other, and a third that comes too late for the second."""
    people = stage.people
    first, second, third = stage.who[address]
    erasure = people.erased(first, 3)
    return [
        people.registered(first),
        people.registered(second),
        *people.whole(first)[1:],
        people.started(first, "late", at=60 * 24 * 45),
        people.refreshed(first, 0, "phone", at=99),
        erasure,
        people.registered(third, at=20),
        people.completed(first, erasure, at=30),
        *people.whole(third)[1:],
    ]


def a_log(data: st.DataObject, stage: Stage) -> PlainLog:
    """The stories side by side; among them events too early or too late, repeats, and bytes of nobody."""
    log = PlainLog(PARTITIONS)
    stories = {address: whole_story(stage, address) for address in ADDRESSES}
    told = dict.fromkeys(ADDRESSES, 0)
    for choice in data.draw(st.lists(st.integers(0, 99), min_size=20, max_size=110)):
        address = ADDRESSES[choice % len(ADDRESSES)]
        story = stories[address]
        if choice < 80 and told[address] < len(story):
            log.append(story[told[address]])
            told[address] += 1
        elif choice < 86:
            log.append(story[choice * 5 % len(story)])
        elif choice < 97 and (records := list(log.records())):
            log.repeat(records[choice * 7 % len(records)])
        else:
            key = stage.people.account_key(address).encode()
            log.put(key, data.draw(st.sampled_from((None, b"", b"\x07garbage", b"\0\0\0\xff\xff?"))))
    return log


def rows_of(stage: Stage, batches: Sequence[Sequence[Record]]) -> Dump:
    stage.models.wipe()
    stage.models.apply(*batches)
    return stage.models.dump(*stage.tables)


@RELAXED
@given(data=st.data())
def test_any_cut_and_any_mixture_give_the_same_rows(stage: Stage, data: st.DataObject) -> None:
    log = a_log(data, stage)
    one_by_one = rows_of(stage, [[record] for record in log.records()])
    assert rows_of(stage, mixed(data, log, most=40)) == one_by_one


@RELAXED
@given(data=st.data())
def test_old_records_appended_again_change_no_row_but_the_feeds(stage: Stage, data: st.DataObject) -> None:
    """R09: an old role, an old password, an old registration, an old session never come back."""
    log = PlainLog(PARTITIONS)
    for address in ADDRESSES:
        story = whole_story(stage, address)
        log.append(*story[: data.draw(st.integers(1, len(story)))])
    records = list(log.records())
    tables = [table for table in stage.models.tables if "activity" not in table]
    rows_of(stage, [records])
    before = stage.models.dump(*tables)
    again = data.draw(st.lists(st.sampled_from(records), max_size=30))
    stage.models.apply([log.repeat(record) for record in again])
    assert stage.models.dump(*tables) == before


def test_a_replay_after_an_erasure_resurrects_nobody(stage: Stage) -> None:
    """R28: folded again with the erased keys gone, the rows are what they were."""
    log = PlainLog(PARTITIONS)
    people = AccountStories("erased")
    (ada,) = (asyncio.run(people.person(address)) for address in ("canary@example.org",))
    erasure = people.erased(ada, 3)
    log.append(*people.whole(ada), erasure, people.completed(ada, erasure))
    models = stage.models
    models.use(people.keys)
    live = rows_of(stage, [[record] for record in log.records()])
    assert isinstance(people.keys, InMemorySubjectKeys)
    people.keys.erase(ada.user_id)
    for batches in ([[record] for record in log.records()], [list(log.records())]):
        assert rows_of(stage, batches) == live
    assert "canary" not in str(live)
    models.use(stage.people.keys)


@pytest.mark.parametrize("turn", [1, 7, 50])
def test_fifty_registrations_of_one_address_give_one_account_on_every_replay(stage: Stage, turn: int) -> None:
    """R10: the log's order decides, and nothing else."""
    people, log = stage.people, PlainLog(PARTITIONS)
    asking = [asyncio.run(people.person("dana", nth)) for nth in range(50)]
    order = asking[turn:] + asking[:turn]
    log.append(*(people.registered(who) for who in order))
    one_by_one = rows_of(stage, [[record] for record in log.records()])
    ((user_id,),) = stage.models.rows("accounts_v1.accounts", "user_id")
    assert user_id == order[0].user_id
    accepted = stage.models.rows("account_activity_v3.account_activity", "accepted")
    assert [value for (value,) in accepted] == [False] * 49 + [True]
    records = list(log.records())
    assert rows_of(stage, [records[:20], records[20:]]) == one_by_one
    operating.reset(stage.models.conn, stage.models.loop)
    stage.models.open()
    stage.models.apply(records)
    assert stage.models.dump(*stage.tables) == one_by_one

"""Streams of one user are counted for all processes together: S01 over several, with outages and deaths."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg
import pytest

from api.notifications import held
from api.notifications.held import HeldStreams
from api.notifications.places import InMemoryPlaces, PlaceBook
from api.problems import TooManyStreams
from tests.unit.api.doors import BEN, stage
from tests.unit.api.ear import listen

ADA = UUID(int=1)


@dataclass
class Unsteady(InMemoryPlaces):
    """Places of a database that can be `away`, or `silent` until told otherwise."""

    book: PlaceBook = field(default_factory=PlaceBook)
    away: bool = False
    speaks: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.speaks.set()
        super().__init__(self.book)

    async def _answer(self, what: str) -> None:
        self.calls.append(what)
        await self.speaks.wait()
        if self.away:
            raise psycopg.OperationalError("away")

    async def renew(self) -> bool:
        await self._answer("renew")
        return await super().renew()

    async def take(self, owner_id: UUID, places: int, *, most: int, said: int) -> bool:
        await self._answer("take")
        return await super().take(owner_id, places, most=most, said=said)

    async def say(self, places: Mapping[UUID, int], *, said: int) -> None:
        await self._answer("say")
        await super().say(places, said=said)

    def told(self) -> int:
        """How many of Ada's streams the others believe that this process holds."""
        return sum(count for (owner, _), (count, _) in self.book.places.items() if owner == ADA)


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - another task is at work
            await asyncio.sleep(0.01)


@pytest.fixture
async def places() -> Unsteady:
    return Unsteady()


@pytest.fixture
async def streams(places: Unsteady, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HeldStreams]:
    monkeypatch.setattr(held, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(held, "PATIENCE_SECONDS", 0.1)
    made = HeldStreams(places, most=3, renew=0.05)
    made.start()
    yield made
    places.speaks.set()
    await made.close()


async def test_s01_a_user_has_so_many_streams_whichever_process_answers() -> None:
    book = PlaceBook()
    async with (
        stage(book, SSE_STREAMS_PER_USER="3", SSE_HEARTBEAT="0.05") as one,
        stage(book, SSE_STREAMS_PER_USER="3", SSE_HEARTBEAT="0.05") as two,
        one.living(),
        two.living(),
    ):
        async with AsyncExitStack() as open_streams:
            for on in (one, two, one):
                assert (await open_streams.enter_async_context(listen(on))).status == 200
            for on in (one, two):
                async with listen(on) as refused:
                    assert refused.status == 429
                    assert b"too-many-streams" in refused.body
                assert len(one.doors.hub) + len(two.doors.hub) == 3
                async with listen(on, BEN) as other:
                    assert other.status == 200
        await eventually(lambda: not any(count for count, _ in book.places.values()))
        async with AsyncExitStack() as open_streams:
            for _ in range(3):
                assert (await open_streams.enter_async_context(listen(two))).status == 200


async def test_a_head_request_and_a_refusal_leave_no_place_behind() -> None:
    book = PlaceBook()
    async with stage(book) as on, on.living():
        async with listen(on, method="HEAD") as ear:
            assert ear.status == 200
        async with listen(on, last_id="x" * 5) as ear:
            assert ear.status in {200, 422}
        await eventually(lambda: not any(count for count, _ in book.places.values()))


async def test_what_is_given_back_is_told_soon(streams: HeldStreams, places: Unsteady) -> None:
    for _ in range(3):
        await streams.take(ADA)
    assert places.told() == 3
    with pytest.raises(TooManyStreams):
        await streams.take(ADA)
    streams.give_back(ADA)
    await eventually(lambda: places.told() == 2)
    await streams.take(ADA)
    assert places.told() == 3


async def test_of_many_who_come_at_once_as_many_get_a_place_as_there_are(
    streams: HeldStreams, places: Unsteady
) -> None:
    other = InMemoryPlaces(places.book)
    await other.renew()
    assert await other.take(ADA, 1, most=3, said=1)
    got = await asyncio.gather(*(streams.take(ADA) for _ in range(20)), return_exceptions=True)
    assert sum(one is None for one in got) == 2
    assert sum(isinstance(one, TooManyStreams) for one in got) == 18


async def test_an_outage_turns_nobody_away_and_what_was_missed_is_said_after_it(
    streams: HeldStreams, places: Unsteady
) -> None:
    places.away = True
    await streams.take(ADA)
    await streams.take(ADA)
    assert places.told() == 0
    places.away = False
    await eventually(lambda: places.told() == 2)


async def test_after_a_failure_nobody_waits_for_the_next(
    places: Unsteady, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "PAUSE_SECONDS", 60.0)
    streams = HeldStreams(places, most=3)
    places.away = True
    for _ in range(5):
        await streams.take(uuid4())
    assert places.calls == ["renew"]
    await streams.close()


async def test_a_silent_database_holds_nobody_up_and_its_late_word_changes_nothing(
    streams: HeldStreams, places: Unsteady
) -> None:
    places.speaks.clear()
    await streams.take(ADA)
    streams.give_back(ADA)
    places.speaks.set()
    await eventually(lambda: places.calls.count("take") > 0 and not streams._late)
    await eventually(lambda: places.calls.count("say") > 0 and places.told() == 0 and not streams._untold)


async def test_whoever_goes_while_a_place_is_asked_for_leaves_none(
    streams: HeldStreams, places: Unsteady
) -> None:
    await streams.take(ADA)  # the lease is there
    places.speaks.clear()
    asking = asyncio.create_task(streams.take(ADA))
    await eventually(lambda: places.calls[-1] == "take")
    asking.cancel()
    places.speaks.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await eventually(lambda: not streams._late and not streams._untold)
    assert places.told() == 1


async def test_thousands_of_silent_streams_cost_one_renewal(streams: HeldStreams, places: Unsteady) -> None:
    for number in range(500):
        await streams.take(UUID(int=number))
    places.calls.clear()
    await eventually(lambda: len(places.calls) > 3)
    assert set(places.calls) == {"renew"}


async def test_who_lost_its_lease_says_everything_again(streams: HeldStreams, places: Unsteady) -> None:
    await streams.take(ADA)
    places.book.places.clear()
    places.book.leases.clear()
    await eventually(lambda: places.told() == 1)


async def test_a_process_that_ends_leaves_nothing(streams: HeldStreams, places: Unsteady) -> None:
    await streams.take(ADA)
    await streams.close()
    assert (places.book.places, places.book.leases) == ({}, {})

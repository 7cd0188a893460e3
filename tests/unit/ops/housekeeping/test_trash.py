"""What lies in the trash for its time is gone for good, and nothing that was restored goes with it (R28)."""

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.clock import FixedClock
from adapters.event_log import InMemoryEventLog, LogUnavailable
from ops.housekeeping.chore import Tools
from ops.housekeeping.rows import Trashed
from ops.housekeeping.trash import Trash, decide
from schemas.envelope import Metadata
from schemas.events import AssetDeleted, AssetEvent, AssetPurged, AssetRestored, UploadRequested
from schemas.lifecycle import AssetState, evolve


class ReadModel:
    """The trash as the log of the tools has it, when it is told to look."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.states: dict[UUID, AssetState] = {}
        self.before: list[Any] = []

    def catch_up(self) -> None:
        self.states.clear()
        for event in events(self.tools):
            state = evolve(self.states.get(event.asset_id), event)
            if state is not None:
                self.states[event.asset_id] = state

    def trashed(self, before: Any) -> list[Trashed]:
        self.before.append(before)
        return [
            Trashed(
                asset_id=state.asset_id,
                owner_id=state.owner_id,
                version=state.version,
                doomed=state.doomed,
                incoming_key=state.upload.object_key,
            )
            for state in self.states.values()
            if state.purged_at is None
            and state.deleted_at is not None
            and (state.deleted_at < before or state.doomed)
        ]


def events(tools: Tools) -> list[AssetEvent]:
    assert isinstance(tools.log, InMemoryEventLog)
    return [event for event in tools.log.events() if isinstance(event, AssetEvent)]


def moved(asset: AssetState, kind: type[AssetDeleted | AssetRestored], tools: Tools) -> Any:
    return kind(
        event_id=uuid4(),
        occurred_at=tools.clock.now(),
        asset_id=asset.asset_id,
        owner_id=asset.owner_id,
        actor_id=asset.owner_id,
        expected_version=asset.version,
        code="user",
    )


async def append(tools: Tools, event: AssetEvent) -> None:
    await tools.log.append(event, Metadata(correlation_id=uuid4(), source="/test"))


async def in_the_trash(tools: Tools, rows: ReadModel) -> AssetState:
    asset_id, owner_id, now = uuid4(), uuid4(), tools.clock.now()
    await append(
        tools,
        UploadRequested(
            event_id=uuid4(),
            occurred_at=now,
            asset_id=asset_id,
            owner_id=owner_id,
            actor_id=owner_id,
            upload_id=uuid4(),
            method="direct",
            object_key=f"incoming/{asset_id}/x",
            content_type="image/jpeg",
            expires_at=now + timedelta(minutes=15),
        ),
    )
    rows.catch_up()
    await append(tools, moved(rows.states[asset_id], AssetDeleted, tools))
    rows.catch_up()
    return rows.states[asset_id]


def later(tools: Tools, span: timedelta) -> None:
    assert isinstance(tools.clock, FixedClock)
    tools.clock.advance(span)


async def test_after_thirty_days_it_is_doomed_then_purged(tools: Tools) -> None:
    rows = ReadModel(tools)
    asset = await in_the_trash(tools, rows)
    chore = Trash(tools, rows.trashed)
    assert await chore.turn() == {"doomed": 0, "purged": 0}
    later(tools, timedelta(days=30, seconds=1))
    assert await chore.turn() == {"doomed": 1, "purged": 0}
    assert await chore.turn() == {"doomed": 0, "purged": 0}  # not applied yet
    rows.catch_up()
    assert rows.states[asset.asset_id].doomed
    assert await chore.turn() == {"doomed": 0, "purged": 1}
    rows.catch_up()
    assert rows.states[asset.asset_id].purged_at is not None
    purge = events(tools)[-1]
    assert isinstance(purge, AssetPurged)
    assert (purge.code, purge.incoming_key) == ("expired", asset.upload.object_key)


async def test_a_restore_that_the_log_has_first_wins_and_one_that_comes_later_is_refused(
    tools: Tools,
) -> None:
    """The row said that it lies in the trash; the log's order decides what comes of that."""
    rows = ReadModel(tools)
    asset = await in_the_trash(tools, rows)
    seen = Trashed(
        asset_id=asset.asset_id,
        owner_id=asset.owner_id,
        version=asset.version,
        doomed=False,
        incoming_key=asset.upload.object_key,
    )
    doom, back = decide(seen, tools.clock.now()), moved(asset, AssetRestored, tools)
    ends = []
    for order in permutations([doom, back]):
        state = asset
        for event in order:
            after = evolve(state, event)
            assert after is not None
            state = after
        ends.append((state.doomed, state.deleted_at is None))
    assert ends == [(True, False), (False, True)]


async def test_what_was_restored_is_not_purged_whatever_the_row_said(tools: Tools) -> None:
    rows = ReadModel(tools)
    asset = await in_the_trash(tools, rows)
    later(tools, timedelta(days=31))
    chore = Trash(tools, rows.trashed)
    await append(tools, moved(asset, AssetRestored, tools))  # which the read model has not heard of
    assert await chore.turn() == {"doomed": 1, "purged": 0}
    rows.catch_up()
    assert await chore.turn() == {"doomed": 0, "purged": 0}
    assert rows.states[asset.asset_id].deleted_at is None
    assert not any(isinstance(event, AssetPurged) for event in events(tools))


async def test_two_processes_say_the_same_and_an_outage_loses_nothing(tools: Tools) -> None:
    rows = ReadModel(tools)
    await in_the_trash(tools, rows)
    later(tools, timedelta(days=31))
    assert isinstance(tools.log, InMemoryEventLog)
    tools.log.failure = LogUnavailable("away")
    chore = Trash(tools, rows.trashed)
    with pytest.raises(LogUnavailable):
        await chore.turn()
    tools.log.failure = None
    await chore.turn()
    await Trash(tools, rows.trashed).turn()
    first, second = events(tools)[-2:]
    assert first == second
    rows.catch_up()
    await Trash(tools, rows.trashed).turn()
    rows.catch_up()
    assert [state.purged_at is not None for state in rows.states.values()] == [True]

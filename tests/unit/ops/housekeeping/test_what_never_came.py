"""U07: what never came is said to be expired, and nothing of it stays; what is needed is never touched."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.clock import FixedClock
from adapters.event_log import InMemoryEventLog, LogUnavailable
from ops.housekeeping import expiry, sweeping
from ops.housekeeping.chore import Tools
from ops.housekeeping.expiry import Expiry
from ops.housekeeping.purged import Purged
from ops.housekeeping.rows import Overdue, Standing
from ops.housekeeping.sweeping import Sweeping, removable
from schemas.events import AssetEvent, UploadCompleted, UploadExpired, UploadRequested
from schemas.lifecycle import evolve

NOW = datetime.now(UTC)


class Uploads:
    """Read models that hear of an expiry when they are told to."""

    def __init__(self, *uploads: Overdue) -> None:
        self.uploads = list(uploads)
        self.asked: list[datetime] = []

    def overdue(self, before: datetime) -> list[Overdue]:
        self.asked.append(before)
        return self.uploads


def one() -> Overdue:
    return Overdue(asset_id=uuid4(), owner_id=uuid4(), upload_id=uuid4())


def events(tools: Tools) -> list[UploadExpired]:
    assert isinstance(tools.log, InMemoryEventLog)
    return [event for event in tools.log.events() if isinstance(event, UploadExpired)]


async def test_what_is_overdue_is_said_once_until_it_is_heard(tools: Tools) -> None:
    rows = Uploads(one(), one())
    chore = Expiry(tools, rows.overdue)
    assert await chore.turn() == {"expired": 2}
    assert await chore.turn() == {"expired": 0}
    assert rows.asked[0] == tools.clock.now() - timedelta(hours=1, minutes=1)  # the grace, and clocks
    assert {event.code for event in events(tools)} == {"expired"}
    assert all(event.actor_id is None and event.expected_version is None for event in events(tools))

    assert isinstance(tools.clock, FixedClock)
    tools.clock.advance(timedelta(minutes=2))  # nothing came of it: it is said again, as the same event
    await chore.turn()
    assert len(events(tools)) == 4
    assert len({event.event_id for event in events(tools)}) == 2


async def test_another_process_says_the_same(tools: Tools) -> None:
    upload = one()
    await Expiry(tools, Uploads(upload).overdue).turn()
    await Expiry(tools, Uploads(upload).overdue).turn()
    first, second = events(tools)
    assert first == second


async def test_without_the_log_nothing_counts_as_said(tools: Tools) -> None:
    assert isinstance(tools.log, InMemoryEventLog)
    chore = Expiry(tools, Uploads(one()).overdue)
    tools.log.failure = LogUnavailable("away")
    with pytest.raises(LogUnavailable):
        await chore.turn()
    tools.log.failure = None
    assert await chore.turn() == {"expired": 1}


async def swept(tools: Tools, known: Mapping[UUID, Standing]) -> set[str]:
    """What is left under incoming/ after a turn."""

    def standing(asset_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        return {asset_id: known[asset_id] for asset_id in asset_ids if asset_id in known}

    await Sweeping(tools, standing).turn()
    left = {info.key async for info in tools.store.list("incoming/")}
    return left | {f"parts of {upload.key}" for upload in await tools.store.unfinished("incoming/")}


async def test_only_what_nobody_needs_is_swept(tools: Tools) -> None:
    standings: tuple[Standing, ...] = ("arrived", "expired", "purged", "awaited")
    known: dict[UUID, Standing] = {uuid4(): standing for standing in standings}
    unheard = uuid4()
    for asset_id in (*known, unheard):
        await tools.store.put(f"incoming/{asset_id}/x", b"x", content_type="image/jpeg")
        await tools.store.begin_parts(f"incoming/{asset_id}/p", content_type="image/jpeg")
    await tools.store.put("incoming/no-id", b"x", content_type="image/jpeg")
    await tools.store.put(f"assets/{unheard}/original/x", b"x", content_type="image/jpeg")
    awaited = next(asset_id for asset_id, standing in known.items() if standing == "awaited")

    kept = {f"incoming/{asset_id}/x" for asset_id in (awaited, unheard)}
    parts = {f"parts of incoming/{asset_id}/p" for asset_id in (awaited, unheard)}
    assert await swept(tools, known) == kept | parts | {"incoming/no-id"}

    # Older than any upload may get: what the read models never heard of is nobody's.
    later = replace(tools, clock=FixedClock(NOW + timedelta(hours=27)))
    assert await swept(later, known) == {f"incoming/{awaited}/x", f"parts of incoming/{awaited}/p"}
    assert await tools.store.head(f"assets/{unheard}/original/x") is not None


async def test_large_stores_are_swept_in_batches(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_BATCH", 3)
    known: dict[UUID, Standing] = {uuid4(): "arrived" for _ in range(7)}
    for asset_id in known:
        await tools.store.put(f"incoming/{asset_id}/x", b"x", content_type="image/jpeg")
    assert await swept(tools, known) == set()


async def test_a_purged_prefix_is_looked_at_twice(tools: Tools) -> None:
    """R28: an original that somebody copied after the purge goes; others' objects stay."""
    asset_id, other = uuid4(), uuid4()
    key, clock = f"assets/{asset_id}/original/late", FixedClock(NOW)
    tools = replace(tools, clock=clock)
    chore = Purged(tools, lambda since: {asset_id: NOW} if since < NOW else {})
    await tools.store.put(f"assets/{other}/original/x", b"x", content_type="image/jpeg")
    removed = []
    for age in (5, 15, 20, 26 * 60, 27 * 60):
        clock.time = NOW + timedelta(minutes=age)
        await tools.store.put(key, b"late", content_type="image/jpeg")
        removed.append((await chore.turn())["objects"])
    assert removed == [0, 1, 0, 1, 0]
    assert await tools.store.head(f"assets/{other}/original/x") is not None


@given(
    st.sampled_from(["awaited", "arrived", "expired", "purged", None]),
    st.integers(min_value=-100_000, max_value=100_000),
)
def test_age_matters_only_for_what_nobody_has_heard_of(standing: Standing | None, seconds: int) -> None:
    since, bound = NOW + timedelta(seconds=seconds), NOW
    said = removable(standing, since, unheard_before=bound)
    match standing:
        case None:
            assert said == (since < bound)
        case "awaited":
            assert not said
        case _:
            assert said
    assert not removable(None, None, unheard_before=bound)


@given(st.permutations(["completed", "expired", "expired"]))
def test_a_completion_that_crosses_the_expiry_wins(order: list[str]) -> None:
    """Whatever the order in the log; the original is a copy, which no sweep of incoming/ reaches."""
    upload = one()
    state = evolve(None, requested(upload))
    for what in order:
        event: AssetEvent = completed(upload) if what == "completed" else expiry.decide(upload, NOW)
        state = evolve(state, event)
    assert state is not None
    assert state.original is not None
    assert (state.status, state.expired) == ("uploaded", None)


def requested(upload: Overdue) -> UploadRequested:
    return UploadRequested(
        event_id=uuid4(),
        occurred_at=NOW,
        asset_id=upload.asset_id,
        owner_id=upload.owner_id,
        actor_id=upload.owner_id,
        upload_id=upload.upload_id,
        method="direct",
        object_key=f"incoming/{upload.asset_id}/x",
        content_type="image/jpeg",
        declared_size=1,
        sealed_words=b"",
        expires_at=NOW,
    )


def completed(upload: Overdue) -> UploadCompleted:
    return UploadCompleted(
        event_id=uuid4(),
        occurred_at=NOW,
        asset_id=upload.asset_id,
        owner_id=upload.owner_id,
        actor_id=upload.owner_id,
        upload_id=upload.upload_id,
        job_id=uuid4(),
        object_key=f"assets/{upload.asset_id}/original/x",
        size=1,
        content_type="image/jpeg",
        sealed_digests=b"",
        data_key_id=uuid4(),
        preset_set="f" * 64,
        lane="live",
    )

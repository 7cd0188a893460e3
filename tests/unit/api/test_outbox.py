"""What waits for a slow client (R22): bounded, latest state of each asset, ids that never run ahead."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from api.notifications.entries import Entry
from api.notifications.outbox import Outbox
from schemas.positions import Position

NOW = datetime(2026, 5, 17, tzinfo=UTC)


def entry(asset: int, offset: int) -> Entry:
    return Entry(
        kind="asset.ready",
        asset_id=UUID(int=asset),
        owner_id=UUID(int=1),
        status="ready",
        title=None,
        url=None,
        timestamp=NOW,
        position=Position(topic="t", partition=0, offset=offset),
        vector={0: offset},
    )


def test_a_fast_client_gets_everything() -> None:
    outbox = Outbox(8)
    for offset in range(4):
        assert outbox.put(entry(1, offset))
    assert [each.position.offset for each in outbox.take()] == [0, 1, 2, 3]
    assert not len(outbox)


def test_a_slow_client_gets_the_latest_of_each_asset_at_the_tail() -> None:
    outbox = Outbox(4)
    for offset, asset in enumerate((1, 2, 1, 2, 1)):
        assert outbox.put(entry(asset, offset))
    waiting = [(each.asset_id.int, each.position.offset) for each in outbox.take()]
    assert waiting == [(2, 3), (1, 4)]
    assert outbox.replaced == 3


def test_too_many_assets_are_too_much() -> None:
    outbox = Outbox(4)
    assert all(outbox.put(entry(asset, asset)) for asset in range(4))
    assert not outbox.put(entry(9, 9))


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=80), st.integers(2, 12))
def test_order_bound_and_last_states_hold_whatever_comes(steps: list[tuple[int, bool]], limit: int) -> None:
    outbox, sent, last = Outbox(limit), list[Entry](), dict[int, int]()
    for offset, (asset, drain) in enumerate(steps):
        if not outbox.put(entry(asset, offset)):
            break
        last[asset] = offset
        assert len(outbox) <= max(2, limit)
        if drain:
            sent += outbox.take()
    sent += outbox.take()
    offsets = [each.position.offset for each in sent]
    assert offsets == sorted(set(offsets))
    # Nothing that counts is lost: of each asset the latest state that was taken in was handed out.
    assert {each.asset_id.int: each.position.offset for each in sent} == last

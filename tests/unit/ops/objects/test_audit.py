"""Store and read models compared both ways: nothing that is needed is ever an orphan."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from adapters.object_store import InMemoryObjectStore
from ops.objects.audit import Report, audit, expected, remove
from schemas.asset_state import AssetState
from schemas.events import AssetPurged, UploadCompleted
from schemas.lifecycle import evolve
from tests.unit.api.doors import ready, started
from tests.unit.ops.housekeeping.test_what_never_came import completed, one, requested

LATER = datetime.now(UTC) + timedelta(hours=25)


def made() -> AssetState:
    """An asset with a set of variants."""
    upload = one()
    event: UploadCompleted = completed(upload)
    state = None
    for each in (requested(upload), event, started(event, LATER), ready(event, LATER)):
        state = evolve(state, each)
    assert state is not None
    assert state.served is not None
    return state


async def filled(*states: AssetState) -> InMemoryObjectStore:
    store = InMemoryObjectStore()
    for state in states:
        for key in expected(state):
            await store.put(key, b"12345", content_type="image/jpeg")
    return store


async def audited(store: InMemoryObjectStore, *states: AssetState, before: datetime = LATER) -> Report:
    known = {state.asset_id: state for state in states}

    def load(asset_ids: Sequence[UUID]) -> Mapping[UUID, AssetState]:
        return {asset_id: known[asset_id] for asset_id in asset_ids if asset_id in known}

    return await audit(store, load, lambda: [*known], before=before)


async def test_what_fits_is_clean_and_added_up() -> None:
    states = [made() for _ in range(3)]
    store = await filled(*states)
    await store.put("incoming/x/y", b"123", content_type="image/jpeg")
    report = await audited(store, *states)
    assert report.clean
    assert (report.originals, report.original_bytes) == (3, 15)
    assert report.others == sum(len(expected(state)) for state in states) - 3
    assert (report.incoming, report.incoming_bytes) == (1, 3)


async def test_orphans_are_reported_and_removed_only_when_told_and_past_the_grace() -> None:
    state, stranger = made(), uuid4()
    store = await filled(state)
    orphans = [f"assets/{state.asset_id}/original/second", f"assets/{stranger}/original/x", "assets/odd"]
    for key in orphans:
        await store.put(key, b"x", content_type="image/jpeg")
    young = await audited(store, state, before=datetime.now(UTC) - timedelta(hours=1))
    assert (young.orphans, young.young, young.clean) == ([], 3, True)
    report = await audited(store, state)
    assert sorted(info.key for info in report.orphans) == sorted(orphans)
    assert [report.clean, report.removed] == [False, 0]
    assert len([info async for info in store.list("assets/odd")]) == 1
    await remove(store, report)
    assert report.removed == 3
    assert (await audited(store, state)).clean
    assert {info.key async for info in store.list("")} == set(expected(state))


async def test_what_is_missing_is_reported() -> None:
    whole, broken, gone = made(), made(), made()
    store = await filled(whole, broken)
    lost = min(expected(broken))
    await store.delete([lost])
    report = await audited(store, whole, broken, gone)
    assert {found.key for found in report.missing} == {lost, *expected(gone)}
    assert report.orphans == []
    assert not report.clean


async def test_of_a_purged_asset_everything_is_an_orphan() -> None:
    state = made()
    store = await filled(state)
    purge = AssetPurged(
        event_id=uuid4(),
        occurred_at=LATER,
        asset_id=state.asset_id,
        owner_id=state.owner_id,
        actor_id=state.owner_id,
        code="permanent",
        incoming_key=None,
    )
    purged = evolve(state, purge)
    assert purged is not None
    report = await audited(store, purged)
    assert len(report.orphans) == len(expected(state))
    assert report.missing == []

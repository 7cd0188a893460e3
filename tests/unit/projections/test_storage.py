"""Storage counts are the fold of the log, however it is cut; the ledger has a line for each result."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.folding import Applied, Changed, Folded
from projections.records import Record
from projections.storage.projection import changes, held
from projections.usage.projection import rows
from schemas.events import AssetEvent
from schemas.lifecycle import AssetState, fold
from tests.unit.schemas.asset_events import completed, purged, ready, requested, started
from tests.unit.schemas.test_lifecycle_properties import ANY_ORDER

BEGIN: list[AssetEvent] = [requested(0), completed(1), started(2)]


def folded_in(
    state: AssetState | None, events: list[AssetEvent]
) -> tuple[AssetState | None, Folded[Any, Any, Any]]:
    """One asset's part of a batch."""
    before, folded = state, Folded[Any, Any, Any]()
    for offset, event in enumerate(events):
        after = fold(state, event)
        state = after.state
        folded.applied.append(Applied(Record(0, offset, 0, None, None, tuple), event, state, after.accepted))
    if state is not None and state is not before:
        folded.changed[state.asset_id] = Changed(state, 0, 0, before)
    return state, folded


@settings(deadline=None)
@given(st.lists(ANY_ORDER, max_size=20), st.lists(st.integers(1, 5), min_size=8, max_size=8))
def test_what_batches_add_is_what_the_log_says(events: list[AssetEvent], cuts: list[int]) -> None:
    log: list[AssetEvent] = [*BEGIN, *events]
    state: AssetState | None = None
    files: Counter[Any] = Counter()
    sizes: Counter[Any] = Counter()
    for cut in [*cuts, len(log)]:
        state, folded = folded_in(state, log[:cut])
        log = log[cut:]
        more, heavier = changes(folded)
        files.update(more)
        sizes.update(heavier)
    assert state is not None
    expected = list(held(state, 0))
    assert +files == Counter(heap for heap, _ in expected)
    assert sum(sizes.values()) == sum(size for _, size in expected)
    assert min([*files.values(), *sizes.values()], default=0) >= 0


def test_originals_and_variants_count_and_what_was_purged_does_not() -> None:
    state, _ = folded_in(None, [*BEGIN, ready(3)])
    assert state is not None
    assert state.served is not None
    kinds = Counter(heap.kind for heap, _ in held(state, 0))
    assert kinds == {"original": 1, "variant": len(state.served.variants)}
    gone, _ = folded_in(state, [purged(4)])
    assert gone is not None
    assert list(held(gone, 0)) == []


def test_the_ledger_has_one_line_a_result_and_keeps_it_after_a_purge() -> None:
    _, folded = folded_in(None, [*BEGIN, ready(3), ready(4), purged(5), ready(6)])
    (line,) = rows(folded)
    cost = ready(3).cost
    assert line[:2] == (0, 3)
    assert line[-4:] == (cost.cpu_ms, cost.wall_ms, cost.bytes_read, cost.bytes_written)

"""A loop that sets everything aside rests before it has set the whole log aside."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from adapters.dead_letters.thickness import LONGEST_RUN
from projections.aside_limit import AsideLimit, Held
from projections.folding import Applied, Folded, Kind, SetAside
from projections.records import Record
from schemas.events import WorkersResumed


def record(offset: int) -> Record:
    return Record(0, offset, 0, b"", b"", list)


def folded(verdicts: str, *, kind: Kind = "internal") -> Folded[Any, Any, Any]:
    """A batch of which x are set aside and . are applied."""
    batch: Folded[Any, Any, Any] = Folded()
    for offset, verdict in enumerate(verdicts):
        if verdict == "x":
            batch.set_aside.append(SetAside(record=record(offset), kind=kind, code="fold_failed"))
        else:
            batch.applied.append(Applied(record(offset), None, None, True))
    return batch


def places(batch: Folded[Any, Any, Any]) -> list[tuple[int, int]]:
    return [(aside.record.partition, aside.record.offset) for aside in batch.set_aside]


@pytest.mark.parametrize(
    ("verdicts", "held"),
    [
        ("x" * LONGEST_RUN, True),
        ("x" * (LONGEST_RUN - 1), False),
        ("x" * (LONGEST_RUN - 1) + "." + "x" * (LONGEST_RUN - 1), False),
        ("xx." * 26, True),
        ("x." * 50, False),
        ("x" * LONGEST_RUN + "." * 500, True),
    ],
    ids=["a run", "short of one", "interrupted", "two of three", "every other", "in the midst"],
)
def test_a_run_or_more_than_half_of_a_hundred(verdicts: str, held: bool) -> None:
    limit, batch = AsideLimit(), folded(verdicts)
    limit.count(batch, places(batch))
    assert limit.held() is held


def test_it_counts_over_batches_of_one() -> None:
    limit, batch = AsideLimit(), folded("x")
    for _ in range(LONGEST_RUN - 1):
        limit.count(batch, places(batch))
    limit.check()
    limit.count(batch, places(batch))
    with pytest.raises(Held):
        limit.check()


def test_what_has_its_letter_already_is_no_news() -> None:
    """A replay finds all that was set aside again."""
    limit = AsideLimit()
    limit.count(folded("x" * 1_000), [])
    assert not limit.held()


@pytest.mark.parametrize("kind", ["follows", "not_ours"])
def test_what_holds_nobody_up_is_not_counted(kind: Kind) -> None:
    limit, batch = AsideLimit(), folded("x" * 1_000, kind=kind)
    limit.count(batch, places(batch))
    assert not limit.held()


def told(component: str) -> WorkersResumed:
    return WorkersResumed(
        event_id=UUID(int=1), occurred_at=datetime(2026, 1, 1, tzinfo=UTC), component=component
    )


def test_an_operator_lets_it_go_on_and_counting_begins_anew() -> None:
    limit, batch = AsideLimit(), folded("x" * LONGEST_RUN)
    limit.count(batch, places(batch))
    limit.hear(told("variants"))
    assert limit.held()
    limit.hear(told("projector"))
    assert not limit.held()
    again = folded("x" * (LONGEST_RUN - 1))
    limit.count(again, places(again))
    assert not limit.held()

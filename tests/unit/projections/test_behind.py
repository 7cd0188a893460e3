"""How old the oldest record is that a loop has not applied."""

from projections.behind import Behind
from projections.records import Record


class Given:
    """A loop's lags and a clock, both set by hand."""

    def __init__(self) -> None:
        self.lags = {0: 0, 1: 0}
        self.now = 1_000.0
        self.behind = Behind(lambda: self.lags, now=lambda: self.now)


def record(partition: int, seconds: float) -> Record:
    return Record(partition, 0, round(seconds * 1000), b"", b"", list)


def test_at_the_end_it_is_none() -> None:
    given = Given()
    assert (given.behind.oldest(), given.behind.seconds()) == ({}, 0.0)
    given.now = 9_000.0
    assert given.behind.seconds() == 0.0


def test_what_is_in_hand_is_as_old_as_the_log_says() -> None:
    given = Given()
    given.behind.read([record(0, 940), record(0, 950), record(1, 990)])
    assert given.behind.oldest() == {0: 940_000, 1: 990_000}
    assert given.behind.seconds() == 60.0
    given.now = 1_100.0
    assert given.behind.seconds() == 160.0, "it grows while an outage lasts"
    given.behind.applied([record(0, 940), record(0, 950), record(1, 990)])
    assert given.behind.seconds() == 0.0


def test_what_still_lies_in_the_log_came_after_what_was_applied() -> None:
    given = Given()
    given.behind.applied([record(0, 940), record(0, 950)])
    given.lags = {0: 5, 1: 0}
    assert given.behind.oldest() == {0: 950_000}


def test_what_comes_after_a_pause_is_no_older_than_the_pause() -> None:
    given = Given()
    given.behind.applied([record(0, 100)])
    assert given.behind.seconds() == 0.0
    given.now, given.lags = 1_002.0, {0: 1, 1: 0}
    assert given.behind.seconds() == 2.0, "at 1,000 the end was reached"


def test_what_was_dropped_is_in_hand_no_more() -> None:
    given = Given()
    given.behind.read([record(0, 940)])
    given.behind.dropped()
    assert given.behind.seconds() == 0.0


def test_partitions_that_others_hold_are_theirs() -> None:
    given = Given()
    given.behind.read([record(0, 940)])
    given.lags = {1: 0}
    assert given.behind.oldest() == {}

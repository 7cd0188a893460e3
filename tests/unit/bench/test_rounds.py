"""Rounds are fair: everybody does everything once a round, and figures are taken in pairs."""

from collections import Counter

import pytest

from tests.bench import rounds


def test_each_round_holds_each_pair_once() -> None:
    plan = list(rounds.schedule(("a", "b", "c"), ("x", "y"), 3))
    assert Counter(plan) == {(n, p, c): 1 for n in (-1, 0, 1, 2) for p in "xy" for c in "abc"}


def test_nobody_always_comes_first() -> None:
    first = [list(rounds.schedule(("a", "b", "c"), ("x",), 3))[3 * n][2] for n in range(1, 4)]
    assert sorted(first) == ["a", "b", "c"]


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine was ten times slower in the second round: no ratio changes.
    assert rounds.paired([3.0, 30.0, 3.3], [1.0, 10.0, 1.1]) == pytest.approx(3.0)


def test_totals_are_by_round() -> None:
    assert rounds.totals({"x": [1.0, 2.0], "y": [10.0, 20.0]}) == [11.0, 22.0]


def test_pieces_without_a_sample_in_each_round_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        rounds.totals({"x": [1.0, 2.0], "y": [10.0]})


@pytest.mark.parametrize(("part", "value"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0)])
def test_percentiles_are_values_that_were_seen(part: float, value: float) -> None:
    assert rounds.percentile([float(n) for n in range(100, 0, -1)], part) == value


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        rounds.percentile([], 0.5)

"""Ages in tables: one whole unit, the largest that fits."""

from datetime import UTC, datetime, timedelta

import pytest

from ops.ages import age

NOW = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (timedelta(seconds=-5), "0s"),
        (timedelta(milliseconds=900), "0s"),
        (timedelta(seconds=59), "59s"),
        (timedelta(minutes=1), "1m"),
        (timedelta(hours=23, minutes=59), "23h"),
        (timedelta(days=400), "400d"),
    ],
    ids=str,
)
def test_an_age_is_one_unit(gone: timedelta, said: str) -> None:
    assert age(NOW - gone, NOW) == said

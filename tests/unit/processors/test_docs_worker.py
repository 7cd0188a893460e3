"""That docs/worker.md explains what the worker really shows."""

import re
from pathlib import Path

from adapters.dead_letters.thickness import LONGEST_RUN, MOST_OF_A_HUNDRED
from processors.faust_app.watchdog import MOST_ASSIGNMENTS_A_MINUTE, OUTSIDE_SECONDS

PAGE = Path("docs/worker.md").read_text()
LISTED = Path("docs/metrics.md").read_text()
NAME = re.compile(r"`(darkroom_worker_[a-z_]+)")


def test_every_metric_of_the_worker_is_explained() -> None:
    assert set(NAME.findall(PAGE)) == set(NAME.findall(LISTED))


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{LONGEST_RUN} in a row" in PAGE
    assert MOST_OF_A_HUNDRED == 50
    assert "more than half of the last hundred" in PAGE
    assert f"after {MOST_ASSIGNMENTS_A_MINUTE} assignments within a" in PAGE
    assert f"not known this member for {OUTSIDE_SECONDS:.0f} s" in PAGE

"""Files are handed out so that no long one is left for the end."""

from pathlib import Path

from tests.scheduling import SECONDS, WITHOUT_SERVERS, next_file

ROOT = Path(__file__).parents[3]
QUICK, SLOW = "tests/unit/test_quick.py", "tests/unit/test_slow.py"
SERVED = "tests/contract/test_served.py"


def test_every_file_that_is_called_long_is_there() -> None:
    assert [name for name in SECONDS if not (ROOT / name).is_file()] == []


def test_who_computes_begins_with_files_without_servers() -> None:
    waiting = {QUICK: 5, SERVED: 5, SLOW: 500}
    assert next_file(waiting, computes=True) == SLOW
    assert next_file({SERVED: 5, QUICK: 5}, computes=True) == QUICK
    assert next_file({SERVED: 5}, computes=True) == SERVED


def test_the_others_begin_with_servers_the_longest_first() -> None:
    longest = max((name for name in SECONDS if not name.startswith(WITHOUT_SERVERS)), key=SECONDS.__getitem__)
    waiting = {QUICK: 5, SERVED: 50, longest: 1, SLOW: 500}
    assert next_file(waiting, computes=False) == longest
    assert next_file({QUICK: 5, SERVED: 50, SLOW: 500}, computes=False) == SERVED
    assert next_file({QUICK: 5, SLOW: 500}, computes=False) == SLOW

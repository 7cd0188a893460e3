"""The local view of the key topic: markers are for ever, in whatever order, and files can be lost."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.subject_keys.view import KeyView, KnownKey
from schemas.events import SubjectKey

USER, KEY = UUID(int=7), UUID(int=8)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def key(user_id: UUID = USER, key_id: UUID = KEY, wrapped: bytes = b"wrapped") -> SubjectKey:
    return SubjectKey(
        event_id=uuid4(), occurred_at=NOW, user_id=user_id, key_id=key_id, master_key_id="m", wrapped=wrapped
    )


def marker(user_id: UUID = USER, key_id: UUID = KEY) -> SubjectKey:
    return SubjectKey(event_id=uuid4(), occurred_at=NOW, user_id=user_id, key_id=key_id, erased=True)


@pytest.fixture
def view(tmp_path: Path) -> Iterator[KeyView]:
    with closing(KeyView(tmp_path / "new" / "keys.sqlite3")) as opened:
        opened.belongs_to("topic")
        yield opened


def test_a_key_is_known_once_it_was_learned(view: KeyView) -> None:
    assert view.key(USER, KEY) is None
    view.learn([key()], {0: 1})
    assert view.key(USER, KEY) == KnownKey(master_key_id="m", wrapped=b"wrapped")
    assert view.key(uuid4(), KEY) is None
    assert view.living(USER) == [KEY]
    assert view.positions() == {0: 1}
    assert view.count() == 1


def test_of_several_keys_the_living_ones_are_listed_smallest_first(view: KeyView) -> None:
    ids = [UUID(int=number) for number in (9, 3, 6)]
    view.learn([key(key_id=key_id) for key_id in ids] + [marker(key_id=UUID(int=3))], {})
    assert view.living(USER) == [UUID(int=6), UUID(int=9)]


def test_a_key_wrapped_anew_replaces_the_old_wrapping(view: KeyView) -> None:
    view.learn([key(), key(wrapped=b"by another master")], {})
    assert view.key(USER, KEY) == KnownKey(master_key_id="m", wrapped=b"by another master")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(min_value=1, max_value=3))
def test_after_its_marker_a_key_never_comes_back(view: KeyView, markers: list[bool], batch: int) -> None:
    key_id = uuid4()
    events = [marker(key_id=key_id) if erased else key(key_id=key_id) for erased in markers]
    for start in range(0, len(events), batch):
        view.learn(events[start : start + batch], {})
    known = view.key(USER, key_id)
    assert known is not None
    assert (known.wrapped is None) == any(markers)
    assert ((USER, key_id) in view.behind_markers()) == (any(markers) and not markers[-1])


def test_another_topic_is_another_view(view: KeyView) -> None:
    view.learn([key()], {0: 5})
    assert view.belongs_to("topic")
    assert view.count() == 1
    assert not view.belongs_to("made anew")
    assert (view.count(), view.positions()) == (0, {})
    assert view.belongs_to("made anew")


def test_keys_and_their_position_are_kept_together(view: KeyView) -> None:
    broken = key(key_id=UUID(int=99))
    object.__setattr__(broken, "wrapped", object())  # no value that SQLite takes
    with pytest.raises(sqlite3.Error):
        view.learn([key(), broken], {0: 2})
    assert (view.count(), view.positions()) == (0, {})
    view.learn([key()], {0: 1})
    assert view.positions() == {0: 1}


def test_a_view_is_there_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite3"
    with closing(KeyView(path)) as view:
        view.belongs_to("topic")
        view.learn([key()], {3: 4})
    with closing(KeyView(path)) as view:
        assert view.belongs_to("topic")
        assert (view.count(), view.positions()) == (1, {3: 4})


@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_file_is_made_anew(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "keys.sqlite3"
    with closing(KeyView(path)) as view:
        view.belongs_to("topic")
        view.learn([key(key_id=uuid4(), wrapped=bytes(60)) for _ in range(500)], {0: 500})
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    for _ in range(40):
        at = chance.randrange(len(data) - 600)
        data[at : at + 500] = chance.randbytes(500)
    path.write_bytes(data)
    with closing(KeyView(path)) as view:
        assert not view.belongs_to("topic")
        view.learn([key()], {0: 1})
        assert view.living(USER) == [KEY]


def test_an_erased_key_leaves_no_byte_in_the_files(tmp_path: Path) -> None:
    """Neither in the database, where a page may be written around, nor in what was to be written to it."""
    wrapped = b"the bytes of a wrapped key that is to be forgotten"
    with closing(KeyView(tmp_path / "keys.sqlite3")) as view:
        view.belongs_to("topic")
        view.learn([key(wrapped=wrapped)], {0: 1})
        assert any(wrapped in file.read_bytes() for file in tmp_path.iterdir())
        view.learn([marker()], {0: 2})
        assert not any(wrapped in file.read_bytes() for file in tmp_path.iterdir())


def test_operators_see_what_is_wrapped_by_whom(view: KeyView) -> None:
    by_n = replace(key(key_id=UUID(int=5)), master_key_id="n")
    view.learn([key(), by_n, key(key_id=UUID(int=9)), marker(key_id=UUID(int=9))], {})
    assert view.all_of(USER) == [UUID(int=5), KEY, UUID(int=9)]
    assert view.count_living() == 2
    assert [(each.key_id, each.master_key_id) for each in view.wrapped_otherwise("n")] == [(KEY, "m")]
    assert [each.key_id for each in view.wrapped_otherwise("x")] == [UUID(int=5), KEY]

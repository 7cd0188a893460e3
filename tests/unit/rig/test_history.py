"""A history is kept as it happens and read back as it was."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from schemas.positions import Position
from tests.rig.history import Acknowledged, Attempt, Entry, Fault, History, read_history

ENTRIES: list[Entry] = [
    Attempt(name="one", asset_id=UUID(int=1), event_ids=(UUID(int=2), UUID(int=3)), object_keys=("a/b",)),
    Attempt(name="two"),
    Fault(what="SIGKILL worker 0"),
    Acknowledged(
        name="one",
        asset_id=UUID(int=1),
        event_ids=(UUID(int=2),),
        positions=(Position(topic="t.assets.v1", partition=3, offset=9),),
    ),
]


def test_what_was_noted_is_read_back(tmp_path: Path) -> None:
    with History(tmp_path / "deep" / "run.jsonl", seed=42) as history:
        for entry in ENTRIES:
            history.add(entry)
        assert [attempt.name for attempt in history.unanswered()] == ["two"]
    assert read_history(history.file) == (42, ENTRIES)


def test_it_is_on_disk_before_the_run_ends(tmp_path: Path) -> None:
    with History(tmp_path / "run.jsonl", seed=1) as history:
        history.fault("the broker is stopped")
        assert read_history(history.file)[1] == [Fault(what="the broker is stopped")]


def test_each_line_says_when(tmp_path: Path) -> None:
    with History(tmp_path / "run.jsonl", seed=1) as history:
        history.fault("a")
    lines = [json.loads(line) for line in history.file.read_text().splitlines()]
    assert lines[0] == {"kind": "run", "seed": 1}
    assert 0 <= lines[1]["at"] < 10


def test_what_is_no_history_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text('{"kind": "Fault", "what": "a"}\n')
    with pytest.raises(ValueError, match="no history"):
        read_history(file)

"""Tables: nothing is cut off, whether a terminal is narrow or there is none."""

import pytest

from ops.listing import show_table

LONG = "ada." + "x" * 150 + "@example.org"


def test_into_a_pipe_each_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("role", "address"), [("user", LONG), ("admin", "[red]")])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["role", "address"],
        ["user", LONG],
        ["admin", "[red]"],
    ]


def test_on_a_terminal_the_last_column_folds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "80"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    show_table(("role", "address"), [("user", LONG)])
    _, *lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join("".join(lines).split()) == "user" + LONG

"""A rebuild shows how far it is, at what rate, and how long still."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from ops import read_models_rate
from ops.read_models_rate import shown


def test_records_done_and_due_the_rate_and_the_time_left_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    now, console = [0.0], Console(file=io.StringIO(), force_terminal=True, width=100)

    def progress(*columns: object, disable: bool) -> Progress:
        assert not disable
        return Progress(*columns, console=console, get_time=lambda: now[0], auto_refresh=False)  # type: ignore[arg-type]

    monkeypatch.setattr(read_models_rate, "Progress", progress)
    with shown("a log", 40_000, quiet=False) as show:
        for second in range(1, 6):
            now[0] = float(second)
            show(second * 2_000)
    line = console.file.getvalue()  # type: ignore[attr-defined]
    assert "a log" in line
    assert "10000/40000" in line
    assert "2,000/s" in line
    assert "0:00:15" in line

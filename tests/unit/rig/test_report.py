"""A run's report names the seed, what was done and how often, and every kind of violation with its count."""

from pathlib import Path

from tests.rig.evidence import Evidence
from tests.rig.history import History
from tests.rig.report import report
from tests.rig.violations import Kind, Violation


def test_a_report_tells_all_that_a_reader_wants_to_know(tmp_path: Path) -> None:
    with History(tmp_path / "history.jsonl", seed=77) as history:
        for what in ("broker killed", "worker frozen", "broker killed"):
            history.fault(what)
        found = [Violation(Kind.LOST, "a", "gone"), Violation(Kind.LOST, "b", "gone")]
        lines = report(Evidence(partitions=1), history, found).splitlines()
    assert lines[:3] == ["seed 77, 3 faults:", "     2 broker killed", "     1 worker frozen"]
    assert lines[-1].startswith("checker: lost 2, foreign 0, doubled 0, stuck 0")
    assert all(f"{kind} " in lines[-1] for kind in Kind)

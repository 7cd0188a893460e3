"""The checker of every run with faults: nothing lost, doubled or stuck, in order, with the right attempts."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.rig import job_checks, log_checks, state_checks
from tests.rig.evidence import Evidence
from tests.rig.violations import Kind, Violation

Check = Callable[[Evidence], Iterator[Violation]]

CHECKS: Final[tuple[Check, ...]] = (
    log_checks.lost,
    log_checks.foreign,
    log_checks.doubled,
    log_checks.order,
    job_checks.stuck,
    job_checks.failed,
    job_checks.attempts,
    state_checks.rows,
    state_checks.objects,
)
_MOST_SHOWN: Final = 8


def violations(evidence: Evidence) -> list[Violation]:
    """Every promise that the run broke."""
    return [violation for check in CHECKS for violation in check(evidence)]


def assert_well(evidence: Evidence, *, history: Path | None = None) -> None:
    """Fails with the first violations and where the history is kept."""
    assert_none(violations(evidence), history=history)


def assert_none(found: Sequence[Violation], *, history: Path | None) -> None:
    """Fails with the first of each kind and where the history is kept."""
    by_kind: dict[Kind, list[Violation]] = {}
    for violation in found:
        by_kind.setdefault(violation.kind, []).append(violation)
    shown = "\n".join(str(each) for of in by_kind.values() for each in of[:_MOST_SHOWN])
    assert not found, f"{len(found)} violations; history: {history}\n{shown}"

"""The checker of every run with faults: nothing lost, doubled or stuck, in order, with the right attempts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.rig import job_checks, log_checks, state_checks
from tests.rig.evidence import Evidence
from tests.rig.violations import Violation

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
_MOST_SHOWN: Final = 20


def violations(evidence: Evidence) -> list[Violation]:
    """Every promise that the run broke."""
    return [violation for check in CHECKS for violation in check(evidence)]


def assert_well(evidence: Evidence, *, history: Path | None = None) -> None:
    """Fails with the first violations and where the history is kept."""
    found = violations(evidence)
    shown = "\n".join(map(str, found[:_MOST_SHOWN]))
    assert not found, f"{len(found)} violations; history: {history}\n{shown}"

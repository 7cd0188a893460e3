"""What a run says of itself in the end: what was done to it, what came of it, and what the checker found."""

from collections import Counter
from collections.abc import Iterator, Sequence

from schemas.events import ProcessingStarted
from tests.rig.evidence import Evidence
from tests.rig.history import History
from tests.rig.violations import Kind, Violation


def report(evidence: Evidence, history: History, found: Sequence[Violation]) -> str:
    """The seed, the faults by how often they struck, the sizes, and the violations of each kind."""
    return "\n".join(_lines(evidence, history, found))


def _lines(evidence: Evidence, history: History, found: Sequence[Violation]) -> Iterator[str]:
    faults = Counter(fault.what for fault in history.faults)
    yield f"seed {history.seed}, {faults.total()} faults:"
    yield from (f"  {count:4} {what}" for what, count in sorted(faults.items()))
    starts = [told.event.attempt for told in evidence.log if isinstance(told.event, ProcessingStarted)]
    again = sum(attempt > 1 for attempt in starts)
    repeats = len(evidence.log) - len({told.event.event_id for told in evidence.log})
    yield (
        f"{len(evidence.acknowledged)} of {len(evidence.attempts)} uploads acknowledged, "
        f"{len(evidence.log)} events ({repeats} said again), {again} attempts beyond the first, "
        f"{len(evidence.unreadable)} poison records, {evidence.letters} dead letters"
    )
    kinds = Counter(violation.kind for violation in found)
    yield "checker: " + ", ".join(f"{kind} {kinds[kind]}" for kind in Kind)

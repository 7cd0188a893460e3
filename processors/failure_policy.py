"""The failure policy as one pure function: what was raised, at which attempt, and what that calls for."""

from dataclasses import dataclass

from processors.failures import WorkFailed

BAD_ENDS = 3
"""So many attempts may end silently or by a bug before the job is given up."""

UNEXPECTED = "unexpected_error"
WORKER_LOST = "worker_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a ProcessingFailed is to say, and what becomes of the record.

    `retryable`: a person may ask again with hope. `will_retry`: another attempt follows by itself.
    `dead_letter`: an operator must look. `settled`: the record is done with; if not, it comes again
    (interrupted) or is tried again on the spot (a bug with attempts left).
    """

    kind: str
    code: str
    retryable: bool
    will_retry: bool
    dead_letter: bool

    @property
    def settled(self) -> bool:
        return not self.will_retry


def judge(error: BaseException, bad_ends: int) -> Verdict:
    """The verdict on an attempt that raised `error`, after `bad_ends` earlier attempts that ended badly."""
    if not isinstance(error, WorkFailed):
        again = bad_ends + 1 < BAD_ENDS
        return Verdict(
            kind="internal", code=UNEXPECTED, retryable=True, will_retry=again, dead_letter=not again
        )
    return Verdict(
        kind=error.kind,
        code=error.code,
        retryable=error.kind != "refused",
        will_retry=error.kind == "interrupted",
        dead_letter=error.kind == "unavailable",
    )


def lost() -> Verdict:
    """The verdict on a record whose workers ended without a word as often as we allow."""
    return Verdict(kind="internal", code=WORKER_LOST, retryable=True, will_retry=False, dead_letter=True)

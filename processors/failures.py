"""Why a piece of work did not end well, and what each reason asks of the reactor.

    WorkFailed      carries a `code` of the catalogue
    ├── Refusal       the input is at fault: said once, never tried again
    ├── Exhaustion    the sandbox ran out of time or memory, or died, in a fresh child too
    ├── Outage        something we depend on kept silent for the whole budget: said, and set aside
    └── Interruption  we must let go (shutdown, rebalance): said, and the record comes again
        └── Unfit       this process can't do such work any more: said, then it leaves
    LogGone         a result can't be appended: the process leaves, nothing is committed

Anything else that is raised is a bug: three attempts, then it is said and set aside.
"""

from typing import ClassVar


class WorkFailed(Exception):
    """The attempt ended without a result."""

    kind: ClassVar[str]

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refusal(WorkFailed):
    """The original can't be used, whoever tries."""

    kind = "refused"


class Exhaustion(WorkFailed):
    """The sandbox gave up on it twice."""

    kind = "exhausted"


class Outage(WorkFailed):
    """A system that the work needs did not come back in time."""

    kind = "unavailable"


class Interruption(WorkFailed):
    """The work was cut short by us, not by its input."""

    kind = "interrupted"


class Unfit(Interruption):
    """The process has lost what it works with; another one may do better."""


class LogGone(Exception):
    """The event log took no result within the time we give it."""

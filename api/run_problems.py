"""The ways in which doors say no to runs; part of the catalogue of api.problems.

StatusProblem
└── 409  RunUnderWay, RunOver, RunChanged
"""

from typing import Final

from fastapi_problem.error import StatusProblem


class RunUnderWay(StatusProblem):
    """One run at a time over one's own assets: wait for its end, or cancel it."""

    status = 409
    type_ = "run-under-way"
    title = "Another run of yours is not over yet."


class RunOver(StatusProblem):
    """The run has ended, and nothing steers it any more."""

    status = 409
    type_ = "run-over"
    title = "This run is over."


class RunChanged(StatusProblem):
    """Others steer the run at the same time; look at it again."""

    status = 409
    type_ = "run-changed"
    title = "The run kept changing meanwhile."


RUNS: Final[tuple[type[StatusProblem], ...]] = (RunUnderWay, RunOver, RunChanged)

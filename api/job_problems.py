"""The ways in which doors say no about jobs and dead letters; part of the catalogue of api.problems.

StatusProblem
├── 409  JobNotEnded, JobUnderWay, NothingWaits, NotRedrivable, RedrivesSpent
└── 503  LettersAway
"""

from collections.abc import MutableMapping
from typing import Final

from fastapi_problem.error import StatusProblem


class JobNotEnded(StatusProblem):
    """Only a job that failed or was deleted is tried again."""

    status = 409
    type_ = "job-not-ended"
    title = "Only a job that failed or was deleted can be tried again."


class JobUnderWay(StatusProblem):
    """A worker has the job, or has done it; only one that waits or that failed is deleted."""

    status = 409
    type_ = "job-under-way"
    title = "Only a job that waits or that failed can be deleted."


class NothingWaits(StatusProblem):
    """Nothing hangs on this dead letter any more: it was dealt with, or was no record of ours at all."""

    status = 409
    type_ = "nothing-waits"
    title = "Nothing hangs on this dead letter any more."


class NotRedrivable(StatusProblem):
    """What this component gave up can't be asked for again, or its asset lies in the trash; discard it."""

    status = 409
    type_ = "not-redrivable"
    title = "This dead letter can't be redriven."


class RedrivesSpent(StatusProblem):
    """It was redriven as often as DEAD_LETTER_REDRIVES allows, and failed each time."""

    status = 409
    type_ = "redrives-spent"
    title = "It was redriven as often as is allowed."


class LettersAway(StatusProblem):
    """The dead letters stand in the log, and the log can't be reached."""

    status = 503
    type_ = "dead-letters-unavailable"
    title = "The dead letters can't be read right now."
    headers_: MutableMapping[str, str] | None = {"Retry-After": "5"}  # noqa: RUF012 - its base declares it so


JOBS: Final[tuple[type[StatusProblem], ...]] = (
    JobNotEnded,
    JobUnderWay,
    NothingWaits,
    NotRedrivable,
    RedrivesSpent,
    LettersAway,
)

"""Every job ends, as it may end, and its attempts are numbered as they were begun."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from processors.failure_policy import BAD_ENDS, WORKER_LOST
from schemas.events import ProcessingFailed, ProcessingStarted, UploadCompleted, VariantsReady
from tests.rig.evidence import Evidence, Told
from tests.rig.violations import Kind, Violation


def stuck(evidence: Evidence) -> Iterator[Violation]:
    """A job that was asked for and has no end."""
    for asset_id, tale in evidence.folded.items():
        for job in tale.state.jobs if tale.state is not None else ():
            if job.state not in {"completed", "failed"}:
                yield Violation(Kind.STUCK, str(asset_id), f"job {job.job_id} is {job.state}")


def failed(evidence: Evidence) -> Iterator[Violation]:
    """A job that failed in a way that the run has no excuse for, and dead letters beyond those allowed.

    A job whose workers were killed as often as is allowed may be given up at any time: `attempts` looks
    whether that was so, and such a job has a letter.
    """
    given_up = 0
    for asset_id, tale in evidence.folded.items():
        for job in tale.state.jobs if tale.state is not None else ():
            if job.state != "failed":
                continue
            if job.error_code == WORKER_LOST:
                given_up += 1
            elif (job.error_kind, job.error_code) not in evidence.allowed.failures:
                said = f"job {job.job_id} failed: {job.error_kind}({job.error_code})"
                yield Violation(Kind.FAILED, str(asset_id), said)
    if evidence.letters > evidence.allowed.letters + given_up:
        yield Violation(Kind.LETTERS, "dead letters", f"{evidence.letters} of them")


@dataclass(slots=True)
class _Course:
    """One job as the log tells it, repeats of an event id left out.

    Starts before its end and after it; of the latter `repeats` followed a repeated request.
    """

    starts: list[ProcessingStarted] = field(default_factory=list)
    late: list[ProcessingStarted] = field(default_factory=list)
    repeats: set[int] = field(default_factory=set)
    ends: list[VariantsReady | ProcessingFailed] = field(default_factory=list)
    excused: set[int] = field(default_factory=set)
    over: bool = False
    asked_again: bool = False


def attempts(evidence: Evidence) -> Iterator[Violation]:
    """Attempts count from 1 without gap or repeat, none begins after the end, none is given up too early."""
    for asset_id, story in evidence.stories.items():
        for job_id, course in _courses(story).items():
            for what in _wrong(course, handovers=evidence.allowed.handovers):
                yield Violation(Kind.ATTEMPTS, str(asset_id), f"job {job_id}: {what}")


def _courses(story: Sequence[Told]) -> dict[UUID, _Course]:
    courses: dict[UUID, _Course] = {}
    seen: set[UUID] = set()
    for told in story:
        event = told.event
        if event.event_id in seen:
            # A request that came again after its job's end may be taken once more, only to repeat the result.
            if isinstance(event, UploadCompleted) and (known := courses.get(event.job_id)) is not None:
                known.asked_again = known.over
            continue
        seen.add(event.event_id)
        match event:
            case ProcessingStarted():
                course = courses.setdefault(event.job_id, _Course())
                if course.asked_again:
                    course.repeats.add(event.attempt)
                else:
                    (course.late if course.over else course.starts).append(event)
            case VariantsReady():
                course = courses.setdefault(event.job_id, _Course())
                course.ends.append(event)
                course.over = True
            case ProcessingFailed():
                course = courses.setdefault(event.job_id, _Course())
                if event.kind == "interrupted":
                    course.excused.add(event.attempt)
                else:
                    course.ends.append(event)
                    course.over = course.over or not event.will_retry
            case _:
                pass
    return courses


def _wrong(course: _Course, *, handovers: bool) -> Iterator[str]:
    numbers = [start.attempt for start in course.starts]
    begun = set(numbers)
    if handovers:
        if begun != set(range(1, len(begun) + 1)) or numbers != sorted(numbers):
            yield f"attempts were {numbers}"
    elif numbers != list(range(1, len(numbers) + 1)):
        yield f"attempts were {numbers}"
    if course.late and not (handovers and not _own_late(course)):
        yield f"begun again after its end, by {[start.worker for start in course.late]}"
    for end in course.ends:
        if end.attempt not in begun | course.repeats | {start.attempt for start in course.late}:
            yield f"attempt {end.attempt} ended and never began"
        if isinstance(end, ProcessingFailed) and end.code == WORKER_LOST:
            silent = len(begun - course.excused)
            if silent < BAD_ENDS:
                yield f"given up after {silent} silent ends"
    if len([end for end in course.ends if not getattr(end, "will_retry", False)]) > 1 and not handovers:
        yield f"{len(course.ends)} ends"


def _own_late(course: _Course) -> bool:
    """Whether a worker began again what it had ended itself: a handover excuses another's ignorance only."""
    worker_of = {start.attempt: start.worker for start in course.starts}
    enders = {worker_of.get(end.attempt) for end in course.ends}
    return any(start.worker in enders for start in course.late)

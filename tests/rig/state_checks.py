"""The read models are the fold of the log, and the store holds what they name and nothing beside it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.asset_state import AssetState, JobState, VariantSet
from schemas.events import UploadCompleted
from tests.rig.evidence import Evidence, Place, Rows, Tale
from tests.rig.violations import Kind, Violation


def rows(evidence: Evidence) -> Iterator[Violation]:
    """Assets, jobs and activity, against what the contract's fold makes of the same log."""
    if evidence.rows is None:
        return
    wanted = {
        asset_id: _asset_row(tale.state, tale)
        for asset_id, tale in evidence.folded.items()
        if tale.state is not None and tale.state.purged_at is None
    }
    yield from _compared("asset", wanted, evidence.rows.assets)
    jobs = {
        (asset_id, job.job_id): _job_row(job)
        for asset_id, tale in evidence.folded.items()
        if tale.state is not None
        for job in tale.state.jobs
    }
    yield from _compared("job", jobs, evidence.rows.jobs)
    yield from _feed(evidence, evidence.rows)


def _compared(
    what: str, wanted: Mapping[Any, Mapping[str, Any]], found: Mapping[Any, Mapping[str, Any]]
) -> Iterator[Violation]:
    for key in wanted.keys() | found.keys():
        about = f"{what} {key}"
        if key not in found:
            yield Violation(Kind.ROWS, about, "has no row")
        elif key not in wanted:
            yield Violation(Kind.ROWS, about, "has a row, and the log does not know it")
        else:
            told = {name: found[key].get(name) for name in wanted[key]}
            wrong = [name for name, value in wanted[key].items() if told[name] != value]
            if wrong:
                differ = {name: (told[name], wanted[key][name]) for name in wrong}
                yield Violation(Kind.ROWS, about, f"row and log differ: {differ}")


def _feed(evidence: Evidence, found: Rows) -> Iterator[Violation]:
    taken = {told.place for tale in evidence.folded.values() for told in tale.accepted}
    wanted: dict[Place, tuple[Any, bool]] = {
        told.place: (told.event.event_id, told.place in taken) for told in evidence.log
    }
    for place in wanted.keys() | found.activity.keys():
        if wanted.get(place) != found.activity.get(place):
            said = f"activity says {found.activity.get(place)}, the log {wanted.get(place)}"
            yield Violation(Kind.ROWS, f"{place[0]}:{place[1]}", said)
    for event_id, times in Counter(event for event, accepted in found.activity.values() if accepted).items():
        if times > 1:
            yield Violation(Kind.DOUBLED, str(event_id), f"was taken {times} times by the read models")


def _asset_row(state: AssetState, tale: Tale) -> dict[str, Any]:
    """The columns of the asset's row that hold no clear text."""
    last, served, job = tale.accepted[-1], state.served, state.newest_job
    error = state.error or (None, None)
    return {
        "owner_id": state.owner_id,
        "status": state.status,
        "version": state.version,
        "original_key": state.original.object_key if state.original else None,
        "size": state.original.size if state.original else state.upload.declared_size,
        "job_id": job.job_id if job else None,
        "error_kind": error[0],
        "error_code": error[1],
        "width": served.source.width if served else None,
        "variants": {variant.object_key: variant.size for variant in served.variants} if served else {},
        "position": last.place,
    }


def _job_row(job: JobState) -> dict[str, Any]:
    return {
        "state": job.state,
        "attempts": job.attempts,
        "worker": job.worker,
        "error_kind": job.error_kind,
        "error_code": job.error_code,
        "queued_at": job.queued_at,
        "finished_at": job.finished_at,
    }


def objects(evidence: Evidence) -> Iterator[Violation]:
    """Originals, variants and manifests that the log names are there, in their sizes, and nothing else is."""
    if evidence.objects is None:
        return
    named: dict[str, int | None] = {}
    left = {*_uncompleted(evidence), *_copied_again(evidence)}
    unfinished: list[str] = []
    for asset_id, tale in evidence.folded.items():
        if tale.state is None:
            continue
        named |= _named(tale.state)
        # Workers that were killed in the midst of it, for good, could not take back what they had written.
        if any(job.state == "failed" and job.error_kind != "refused" for job in tale.state.jobs):
            unfinished += [f"assets/{asset_id}/variants/", f"assets/{asset_id}/metadata/"]
    for key, size in named.items():
        if key not in evidence.objects:
            yield Violation(Kind.OBJECTS, key, "is named and not there")
        elif size is not None and evidence.objects[key] != size:
            yield Violation(Kind.OBJECTS, key, f"has {evidence.objects[key]} bytes, not {size}")
    for key in evidence.objects.keys() - named.keys() - left:
        excused = evidence.allowed.orphaned_originals and key.split("/")[2:3] == ["original"]
        if not excused and not key.startswith(tuple(unfinished)):
            yield Violation(Kind.OBJECTS, key, "is there and nobody names it")


def _uncompleted(evidence: Evidence) -> Iterator[str]:
    """What clients stored for uploads that the log knows no completion of."""
    for attempt in evidence.attempts:
        tale = None if attempt.asset_id is None else evidence.folded.get(attempt.asset_id)
        state = None if tale is None else tale.state
        if state is None or (state.original is None and state.purged_at is None):
            yield from attempt.object_keys


def _copied_again(evidence: Evidence) -> Iterator[str]:
    """Originals of completions that lost against another of the same upload."""
    for tale, story in zip(evidence.folded.values(), evidence.stories.values(), strict=True):
        if tale.state is not None and tale.state.purged_at is None:
            yield from (told.event.object_key for told in story if isinstance(told.event, UploadCompleted))


def _named(state: AssetState) -> dict[str, int | None]:
    original = state.original
    named: dict[str, int | None] = {} if original is None else {original.object_key: original.size}
    return named | ({} if state.served is None else _set(state.served))


def _set(served: VariantSet) -> dict[str, int | None]:
    found: dict[str, int | None] = {variant.object_key: variant.size for variant in served.variants}
    found[served.manifest_key] = None
    if served.metadata_key is not None:
        found[served.metadata_key] = None
    return found

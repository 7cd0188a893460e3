"""Acknowledged ⊆ log ⊆ attempted; one meaning for each event id; every asset's events in their order."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from uuid import UUID

from schemas.events import (
    AssetEvent,
    ProcessingFailed,
    ProcessingStarted,
    UploadCompleted,
    UploadRequested,
    VariantsReady,
)
from schemas.partitioner import partition_for
from tests.rig.evidence import Evidence, Place, Told
from tests.rig.history import Acknowledged
from tests.rig.violations import Kind, Violation


def lost(evidence: Evidence) -> Iterator[Violation]:
    """What was acknowledged and does not stand in the log, under its ids and where it was said to be."""
    ids = {told.event.event_id for told in evidence.log}
    at = {told.place: told.event for told in evidence.log}
    for answer in evidence.acknowledged:
        if answer.asset_id not in evidence.stories:
            yield Violation(Kind.LOST, str(answer.asset_id), "acknowledged, and the log knows nothing of it")
            continue
        for event_id in answer.event_ids:
            if event_id not in ids:
                yield Violation(Kind.LOST, str(answer.asset_id), f"acknowledged event {event_id}")
        yield from _misplaced(answer, at)


def _misplaced(answer: Acknowledged, at: dict[Place, AssetEvent]) -> Iterator[Violation]:
    for position in answer.positions:
        found = at.get((position.partition, position.offset))
        about = f"{answer.asset_id}@{position.partition}:{position.offset}"
        if found is None:
            yield Violation(Kind.LOST, about, "acknowledged there, and no event stands there")
        elif found.asset_id != answer.asset_id or (
            answer.event_ids and found.event_id not in answer.event_ids
        ):
            yield Violation(Kind.LOST, about, f"acknowledged there, where {found.event_id} stands")


def foreign(evidence: Evidence) -> Iterator[Violation]:
    """What stands in the log and nobody attempted, or asked for."""
    known = {attempt.asset_id for attempt in evidence.attempts}
    known |= {answer.asset_id for answer in evidence.acknowledged}
    answered = {answer.name for answer in evidence.acknowledged}
    # Each of these may have made an asset whose id its client was never told.
    nameless = sum(1 for each in evidence.attempts if each.asset_id is None and each.name not in answered)
    strangers = [asset_id for asset_id in evidence.stories if asset_id not in known]
    if len(strangers) > nameless:
        for asset_id in strangers:
            yield Violation(Kind.FOREIGN, str(asset_id), "in the log, and nobody attempted it")
    yield from _events_of_ours(evidence)
    for place in evidence.unreadable[evidence.allowed.poison :]:
        yield Violation(Kind.FOREIGN, f"{place[0]}:{place[1]}", "a record that is no event")


def _events_of_ours(evidence: Evidence) -> Iterator[Violation]:
    """Where a client chose its event ids, the log holds no others of its asset."""
    chosen: dict[UUID, set[UUID]] = {}
    for attempt in evidence.attempts:
        if attempt.asset_id is not None and attempt.event_ids:
            chosen.setdefault(attempt.asset_id, set()).update(attempt.event_ids)
    for told in evidence.log:
        ids = chosen.get(told.event.asset_id)
        if (
            ids is not None
            and isinstance(told.event, UploadRequested | UploadCompleted)
            and told.event.event_id not in ids
        ):
            yield Violation(Kind.FOREIGN, str(told.event.asset_id), f"event {told.event.event_id}")


def doubled(evidence: Evidence) -> Iterator[Violation]:
    """An event id with two meanings, a job with two results, an effect that was taken twice."""
    meanings: dict[UUID, Hashable] = {}
    results: dict[UUID, set[UUID]] = {}
    for told in evidence.log:
        event = told.event
        if meanings.setdefault(event.event_id, _meaning(event)) != _meaning(event):
            yield Violation(Kind.DOUBLED, str(event.asset_id), f"{event.event_id} says two things")
        if isinstance(event, VariantsReady):
            results.setdefault(event.job_id, set()).add(event.event_id)
    for job_id, ids in results.items():
        if len(ids) > 1:
            yield Violation(Kind.DOUBLED, str(job_id), f"{len(ids)} results of one job")
    for asset_id, tale in evidence.folded.items():
        for event_id, times in Counter(told.event.event_id for told in tale.accepted).items():
            if times > 1:
                yield Violation(Kind.DOUBLED, str(asset_id), f"{event_id} was folded {times} times")


def _meaning(event: AssetEvent) -> Hashable:
    """What an event says, without what may differ each time that it is said."""
    match event:
        case UploadRequested():  # a form sent again has brought its bytes to another place
            key = None if event.method == "form" else event.object_key
            return (event.asset_id, event.owner_id, event.upload_id, key, event.declared_size)
        case UploadCompleted():  # one made again has copied the original once more
            return (event.asset_id, event.upload_id, event.job_id, event.size, event.preset_set, event.lane)
        case VariantsReady():
            return (event.asset_id, event.job_id, event.source, event.variants, event.manifest_key)
        case ProcessingFailed():
            return (event.asset_id, event.job_id, event.attempt, event.kind, event.code)
        case _:
            return event


def order(evidence: Evidence) -> Iterator[Violation]:
    """Every asset in one partition, the one of its key; asked before begun, begun before ended."""
    for asset_id, story in evidence.stories.items():
        key = str(asset_id).encode()
        where = partition_for(key, evidence.partitions)
        if any(told.key != key or told.partition != where for told in story):
            yield Violation(Kind.ORDER, str(asset_id), f"events outside of partition {where}")
        yield from _out_of_order(str(asset_id), story)


def _out_of_order(about: str, story: Sequence[Told]) -> Iterator[Violation]:
    if not isinstance(story[0].event, UploadRequested):
        yield Violation(Kind.ORDER, about, f"begins with {type(story[0].event).__name__}")
    asked: list[UUID] = []
    begun: list[UUID] = []
    for told in story:
        match told.event:
            case UploadCompleted(job_id=job_id):
                asked.append(job_id)
            case ProcessingStarted(job_id=job_id):
                if job_id not in asked:
                    yield Violation(Kind.ORDER, about, f"job {job_id} was begun before it was asked for")
                begun.append(job_id)
            case VariantsReady(job_id=job_id) | ProcessingFailed(job_id=job_id):
                if job_id not in begun:
                    yield Violation(Kind.ORDER, about, f"job {job_id} ended before it was begun")
            case _:
                pass
    first = [job_id for job_id in dict.fromkeys(begun) if job_id in asked]
    if first != [job_id for job_id in dict.fromkeys(asked) if job_id in first]:
        yield Violation(Kind.ORDER, about, "jobs were begun in another order than they were asked for")

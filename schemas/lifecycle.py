"""The asset's lifecycle: a pure, total fold over its events, deaf to repeats.

An event that makes no sense in a state is not accepted and changes nothing. One that was accepted is never
accepted again, however often and however late it is delivered.
"""

from typing import NamedTuple, assert_never

from schemas import lifecycle_jobs as jobs
from schemas.asset_state import (
    AssetState,
    AssetStatus,
    Expiry,
    JobState,
    JobStatus,
    Link,
    Original,
    Upload,
    VariantSet,
)
from schemas.events import (
    AssetDeleted,
    AssetEvent,
    AssetPurged,
    AssetRestored,
    AssetUpdated,
    JobDeleted,
    LinkIssued,
    LinkRevoked,
    ProcessingFailed,
    ProcessingStarted,
    RecordDiscarded,
    UploadCompleted,
    UploadExpired,
    UploadRequested,
    VariantsReady,
    VariantsRequested,
    VariantsRetired,
)
from schemas.replacing import replace

__all__ = [
    "AssetState",
    "AssetStatus",
    "Expiry",
    "Folded",
    "JobState",
    "JobStatus",
    "Link",
    "Original",
    "Upload",
    "VariantSet",
    "evolve",
    "fold",
    "original_of",
    "upload_of",
]

_Facts = (
    UploadRequested
    | ProcessingStarted
    | VariantsReady
    | ProcessingFailed
    | VariantsRetired
    | AssetPurged
    | RecordDiscarded
)
"""What depends on no version."""

_Decisions = (
    UploadCompleted
    | UploadExpired
    | VariantsRequested
    | JobDeleted
    | AssetUpdated
    | AssetDeleted
    | AssetRestored
    | LinkIssued
    | LinkRevoked
)
"""What was decided on a version, and raises it where a person did."""


class Folded(NamedTuple):
    """The state after an event, and whether the event had any part in it."""

    state: AssetState | None
    accepted: bool


def fold(state: AssetState | None, event: AssetEvent) -> Folded:
    """The state of the asset after `event`; None is the asset that nobody has heard of."""
    after = evolve(state, event)
    return Folded(after, after is not state)


def evolve(state: AssetState | None, event: AssetEvent) -> AssetState | None:
    """As `fold`: the very same object comes back when the event is not accepted."""
    if state is None:
        return _requested(event) if isinstance(event, UploadRequested) else None
    # As pairs, which look first whether it is the same object: comparing ids is Python code.
    if (event.asset_id, event.owner_id) != (state.asset_id, state.owner_id):
        return state
    if state.purged_at is not None:
        return state  # from where nothing returns
    if isinstance(event, _Facts):
        return _told(state, event)
    if event.expected_version is not None and event.expected_version != state.version:
        return state
    decided = _decided(state, event)
    if decided is state or event.actor_id is None:
        return decided
    return replace(decided, version=state.version + 1)


def _told(state: AssetState, event: _Facts) -> AssetState:
    match event:
        case ProcessingStarted():
            return jobs.started(state, event)
        case VariantsReady():
            return jobs.ready(state, event)
        case ProcessingFailed():
            return jobs.failed(state, event)
        case VariantsRetired():
            return jobs.retired(state, event)
        case AssetPurged():
            return _purged(state, event)
        case UploadRequested() | RecordDiscarded():
            return state
        case _:
            assert_never(event)


def _decided(state: AssetState, event: _Decisions) -> AssetState:
    match event:
        case UploadCompleted():
            return _completed(state, event)
        case UploadExpired():
            return _expired(state, event)
        case VariantsRequested():
            return jobs.asked_again(state, event)
        case JobDeleted():
            return jobs.job_deleted(state, event)
        case AssetUpdated():
            return _updated(state, event)
        case AssetDeleted() | AssetRestored():
            return _moved(state, event)
        case LinkIssued():
            return _link_issued(state, event)
        case LinkRevoked():
            return _link_revoked(state, event)
        case _:
            assert_never(event)


def _requested(event: UploadRequested) -> AssetState | None:
    if event.expected_version not in {None, 0}:
        return None
    return AssetState(
        asset_id=event.asset_id,
        owner_id=event.owner_id,
        version=1,
        upload=upload_of(event),
        sealed_words=event.sealed_words,
    )


def upload_of(event: UploadRequested) -> Upload:
    """What a request asks for."""
    return Upload(
        upload_id=event.upload_id,
        object_key=event.object_key,
        content_type=event.content_type,
        declared_size=event.declared_size,
        requested_at=event.occurred_at,
        expires_at=event.expires_at,
    )


def _completed(state: AssetState, event: UploadCompleted) -> AssetState:
    """The first completion wins, even after an expiry; what a second one copied is nobody's."""
    if state.original is not None or event.upload_id != state.upload.upload_id or _aborted(state):
        return state
    return jobs.first_asked(state, event, original_of(event))


def original_of(event: UploadCompleted) -> Original:
    """What a completion puts in place."""
    return Original(
        object_key=event.object_key,
        content_type=event.content_type,
        size=event.size,
        uploaded_at=event.occurred_at,
        data_key_id=event.data_key_id,
        sealed_digests=event.sealed_digests,
    )


def _expired(state: AssetState, event: UploadExpired) -> AssetState:
    """Only what has not come. An expired upload can still be called off, one that was called off is over."""
    if state.original is not None or event.upload_id != state.upload.upload_id or _aborted(state):
        return state
    if state.expired is not None and event.code != "aborted":
        return state
    return replace(state, expired=Expiry(code=event.code, at=event.occurred_at))


def _aborted(state: AssetState) -> bool:
    return state.expired is not None and state.expired.code == "aborted"


def _updated(state: AssetState, event: AssetUpdated) -> AssetState:
    """Never without a version, as a repeat that names none would put old words back."""
    if event.expected_version is None or state.deleted_at is not None:
        return state
    return replace(state, sealed_words=event.sealed_words)


def _moved(state: AssetState, event: AssetDeleted | AssetRestored) -> AssetState:
    """Into the trash or out of it; never without a version, as with words.

    From the moment that its time in the trash is over nothing takes it out again: its purge may be appended
    by whoever saw that, and can't hit what somebody has taken back.
    """
    if event.expected_version is None or state.doomed:
        return state
    if isinstance(event, AssetDeleted) and event.code == "expired":
        return state if state.deleted_at is None else replace(state, doomed=True)
    into_trash = isinstance(event, AssetDeleted)
    if (state.deleted_at is None) != into_trash:
        return state
    return replace(state, deleted_at=event.occurred_at if into_trash else None)


def _link_issued(state: AssetState, event: LinkIssued) -> AssetState:
    if state.original is None or state.deleted_at is not None or state.link(event.link_id) is not None:
        return state
    link = Link(
        link_id=event.link_id,
        variant=event.variant,
        issued_at=event.occurred_at,
        expires_at=event.expires_at,
    )
    return replace(state, links=(*state.links, link))


def _link_revoked(state: AssetState, event: LinkRevoked) -> AssetState:
    """For good: a link that was revoked stays among the asset's, so that it is never issued again."""
    link = state.link(event.link_id)
    if link is None or link.revoked_at is not None:
        return state
    revoked = replace(link, revoked_at=event.occurred_at)
    return replace(state, links=tuple(revoked if one is link else one for one in state.links))


def _purged(state: AssetState, event: AssetPurged) -> AssetState:
    """What is left of it is that it was: enough to know its events when they come again.

    Whatever its version: whoever removes its objects folds nothing, and so every purge must count.
    """
    return AssetState(
        asset_id=state.asset_id,
        owner_id=state.owner_id,
        version=state.version + 1,
        upload=state.upload,
        purged_at=event.occurred_at,
    )

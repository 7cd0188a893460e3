"""Every event there is: its class, its versions, where it lives, who says it and who listens."""

from functools import cache
from typing import Final

from schemas import events
from schemas.event_type import EventType, TopicKind, event_type
from schemas.events import Event

__all__ = ["CATALOGUE", "EventType", "TopicKind", "by_class", "by_full_name"]

_READ_MODELS = "projections"
_WORKER = "processors variants"
_PURGE = "processors purge"
_ERASURES = "ops erasures run"
_HOUSEKEEPING = "ops housekeeping"
_DEAD_LETTERS = "ops dead-letters"
_PRESETS = "ops presets"
_RUNS = "ops runs"
_USERS = "ops users"

CATALOGUE: Final[tuple[EventType, ...]] = (
    event_type(
        "assets",
        events.UploadRequested,
        "Somebody may now upload.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "assets",
        events.UploadCompleted,
        "The original is in place and immutable, and its variants are asked for.",
        producers=("api",),
        consumers=(_READ_MODELS, _WORKER),
    ),
    event_type(
        "assets",
        events.UploadExpired,
        "The upload never came, or was called off.",
        producers=("api", _HOUSEKEEPING),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "assets",
        events.ProcessingStarted,
        "A worker took the job.",
        producers=(_WORKER,),
        consumers=(_READ_MODELS, _WORKER),
    ),
    event_type(
        "assets",
        events.VariantsReady,
        "All variants of a preset set are stored.",
        producers=(_WORKER,),
        consumers=(_READ_MODELS, _WORKER),
    ),
    event_type(
        "assets",
        events.ProcessingFailed,
        "An attempt ended badly.",
        producers=(_WORKER,),
        consumers=(_READ_MODELS, _WORKER),
    ),
    event_type(
        "assets",
        events.VariantsRequested,
        "Variants are asked for again.",
        producers=("api", _HOUSEKEEPING, _DEAD_LETTERS),
        consumers=(_READ_MODELS, _WORKER),
    ),
    event_type(
        "assets",
        events.VariantsRetired,
        "A set that another took the place of is kept no longer.",
        producers=(_HOUSEKEEPING,),
        consumers=(_READ_MODELS, _PURGE),
    ),
    event_type(
        "assets",
        events.JobDeleted,
        "A person removed a job that waited or had failed.",
        producers=("api",),
        consumers=(_READ_MODELS, _WORKER),
    ),
    event_type(
        "assets",
        events.AssetUpdated,
        "Its words are others now.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "assets", events.AssetDeleted, "Into the trash.", producers=("api",), consumers=(_READ_MODELS,)
    ),
    event_type(
        "assets", events.AssetRestored, "Out of the trash.", producers=("api",), consumers=(_READ_MODELS,)
    ),
    event_type(
        "assets",
        events.AssetPurged,
        "The asset is gone for good; everything under its prefix goes too.",
        producers=("api", _ERASURES, _HOUSEKEEPING),
        consumers=(_READ_MODELS, _WORKER, _PURGE),
    ),
    event_type(
        "assets",
        events.LinkIssued,
        "Whoever has the link may look.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "assets",
        events.LinkRevoked,
        "The link opens nothing any more.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "assets",
        events.RecordDiscarded,
        "An operator gave up a record of an asset.",
        producers=("api", _DEAD_LETTERS),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.UserRegistered,
        "Somebody asks for the account of an address; the first has it.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.SessionStarted,
        "Somebody logged in, on one device.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.SessionRefreshed,
        "A refresh token was presented.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.SessionRevoked,
        "A session was ended before its time.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.PasswordChanged,
        "The account has another password, or the same one hashed anew.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.RoleChanged,
        "The person may do more, or less.",
        producers=("api", _USERS),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.ApiKeyIssued,
        "A program may act for the person.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.ApiKeyRevoked,
        "A key is no longer any good.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.SubjectErased,
        "The person is to be forgotten, and the address is free.",
        producers=("api",),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.ErasureCompleted,
        "Nothing readable of the person is left.",
        producers=(_ERASURES,),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "identity",
        events.AccountRecordDiscarded,
        "An operator gave up a record of an account.",
        producers=("api", _DEAD_LETTERS),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "operations",
        events.PresetSetDefined,
        "A preset set exists.",
        producers=(_PRESETS,),
        consumers=("api", _WORKER, _PRESETS, _READ_MODELS),
    ),
    event_type(
        "operations",
        events.PresetSetActivated,
        "From here on, new work names this preset set.",
        producers=(_PRESETS,),
        consumers=("api", _WORKER, _PRESETS, _READ_MODELS),
    ),
    event_type(
        "operations",
        events.RunStarted,
        "Work is to be asked for on many assets.",
        producers=("api", _PRESETS, _HOUSEKEEPING),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "operations",
        events.RunPaused,
        "The run asks for no more until it goes on.",
        producers=("api", _RUNS),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "operations",
        events.RunResumed,
        "The run goes on.",
        producers=("api", _RUNS),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "operations",
        events.RunCancelled,
        "The run asks for nothing any more.",
        producers=("api", _RUNS),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "operations",
        events.RunCompleted,
        "All that the run asked for has ended.",
        producers=(_HOUSEKEEPING,),
        consumers=(_READ_MODELS,),
    ),
    event_type(
        "operations",
        events.WorkersResumed,
        "Workers that stopped after too many dead letters are to go on.",
        producers=("api", _DEAD_LETTERS),
        consumers=(_WORKER, _PURGE),
    ),
    event_type(
        "subject_keys",
        events.SubjectKey,
        "A person has a data key, or had one that was erased.",
        producers=("api",),
        consumers=("api", _WORKER, _READ_MODELS),
    ),
)


@cache
def by_class() -> dict[type[Event], EventType]:
    """The catalogue by event class."""
    return {row.cls: row for row in CATALOGUE}


@cache
def by_full_name() -> dict[str, EventType]:
    """The catalogue by Avro full name."""
    return {row.full_name: row for row in CATALOGUE}

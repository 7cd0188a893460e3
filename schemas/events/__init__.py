"""The event classes, by the topic that holds them."""

from schemas.events.asset_changes import (
    AssetDeleted,
    AssetPurged,
    AssetRestored,
    AssetUpdated,
    LinkIssued,
    LinkRevoked,
    RecordDiscarded,
    UploadExpired,
)
from schemas.events.assets import (
    Cost,
    Encoder,
    ProcessingFailed,
    ProcessingStarted,
    Source,
    UploadCompleted,
    UploadRequested,
    Variant,
    VariantsReady,
)
from schemas.events.identity import (
    AccountRecordDiscarded,
    ApiKeyIssued,
    ApiKeyRevoked,
    ErasureCompleted,
    PasswordChanged,
    RoleChanged,
    SessionRefreshed,
    SessionRevoked,
    SessionStarted,
    SubjectErased,
    UserRegistered,
)
from schemas.events.operations import Preset, PresetSetActivated, PresetSetDefined, WorkersResumed
from schemas.events.runs import RunCancelled, RunCompleted, RunCounts, RunPaused, RunResumed, RunStarted
from schemas.events.subject_keys import SubjectKey
from schemas.events.work import JobDeleted, VariantsRequested, VariantsRetired

AssetEvent = (
    UploadRequested
    | UploadCompleted
    | UploadExpired
    | ProcessingStarted
    | VariantsReady
    | ProcessingFailed
    | VariantsRequested
    | VariantsRetired
    | JobDeleted
    | AssetUpdated
    | AssetDeleted
    | AssetRestored
    | AssetPurged
    | LinkIssued
    | LinkRevoked
    | RecordDiscarded
)
IdentityEvent = (
    UserRegistered
    | SessionStarted
    | SessionRefreshed
    | SessionRevoked
    | PasswordChanged
    | RoleChanged
    | ApiKeyIssued
    | ApiKeyRevoked
    | SubjectErased
    | ErasureCompleted
    | AccountRecordDiscarded
)
PresetEvent = PresetSetDefined | PresetSetActivated
RunEvent = RunStarted | RunPaused | RunResumed | RunCancelled | RunCompleted
OperationsEvent = PresetEvent | RunEvent | WorkersResumed
Event = AssetEvent | IdentityEvent | OperationsEvent | SubjectKey

__all__ = [
    "AccountRecordDiscarded",
    "ApiKeyIssued",
    "ApiKeyRevoked",
    "AssetDeleted",
    "AssetEvent",
    "AssetPurged",
    "AssetRestored",
    "AssetUpdated",
    "Cost",
    "Encoder",
    "ErasureCompleted",
    "Event",
    "IdentityEvent",
    "JobDeleted",
    "LinkIssued",
    "LinkRevoked",
    "OperationsEvent",
    "PasswordChanged",
    "Preset",
    "PresetEvent",
    "PresetSetActivated",
    "PresetSetDefined",
    "ProcessingFailed",
    "ProcessingStarted",
    "RecordDiscarded",
    "RoleChanged",
    "RunCancelled",
    "RunCompleted",
    "RunCounts",
    "RunEvent",
    "RunPaused",
    "RunResumed",
    "RunStarted",
    "SessionRefreshed",
    "SessionRevoked",
    "SessionStarted",
    "Source",
    "SubjectErased",
    "SubjectKey",
    "UploadCompleted",
    "UploadExpired",
    "UploadRequested",
    "UserRegistered",
    "Variant",
    "VariantsReady",
    "VariantsRequested",
    "VariantsRetired",
    "WorkersResumed",
]

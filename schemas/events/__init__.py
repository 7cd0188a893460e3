"""The event classes, by the topic that holds them."""

from schemas.events.assets import (
    AssetPurged,
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
from schemas.events.operations import Preset, PresetSetActivated, PresetSetDefined
from schemas.events.subject_keys import SubjectKey

AssetEvent = (
    UploadRequested | UploadCompleted | ProcessingStarted | VariantsReady | ProcessingFailed | AssetPurged
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
)
OperationsEvent = PresetSetDefined | PresetSetActivated
Event = AssetEvent | IdentityEvent | OperationsEvent | SubjectKey

__all__ = [
    "ApiKeyIssued",
    "ApiKeyRevoked",
    "AssetEvent",
    "AssetPurged",
    "Cost",
    "Encoder",
    "ErasureCompleted",
    "Event",
    "IdentityEvent",
    "OperationsEvent",
    "PasswordChanged",
    "Preset",
    "PresetSetActivated",
    "PresetSetDefined",
    "ProcessingFailed",
    "ProcessingStarted",
    "RoleChanged",
    "SessionRefreshed",
    "SessionRevoked",
    "SessionStarted",
    "Source",
    "SubjectErased",
    "SubjectKey",
    "UploadCompleted",
    "UploadRequested",
    "UserRegistered",
    "Variant",
    "VariantsReady",
]

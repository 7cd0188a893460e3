"""The event classes, by the topic that holds them."""

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
from schemas.events.operations import Preset, PresetSetActivated, PresetSetDefined
from schemas.events.subject_keys import SubjectKey

AssetEvent = UploadRequested | UploadCompleted | ProcessingStarted | VariantsReady | ProcessingFailed
OperationsEvent = PresetSetDefined | PresetSetActivated
Event = AssetEvent | OperationsEvent | SubjectKey

__all__ = [
    "AssetEvent",
    "Cost",
    "Encoder",
    "Event",
    "OperationsEvent",
    "Preset",
    "PresetSetActivated",
    "PresetSetDefined",
    "ProcessingFailed",
    "ProcessingStarted",
    "Source",
    "SubjectKey",
    "UploadCompleted",
    "UploadRequested",
    "Variant",
    "VariantsReady",
]

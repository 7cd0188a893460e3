"""Every event there is: its class, its versions, where it lives, who says it and who listens."""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from schemas import events
from schemas.events import Event
from schemas.topics import Topics

TopicKind = Literal["assets", "operations", "subject_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One row of the catalogue; `versions` names the .avsc file of each version, oldest first."""

    cls: type[Event]
    namespace: str
    topic: TopicKind
    versions: tuple[str, ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    says: str

    @property
    def name(self) -> str:
        """The event's name, that of its class."""
        return self.cls.__name__

    @property
    def full_name(self) -> str:
        """The Avro full name, which is also the `ce_type`."""
        return f"{self.namespace}.{self.name}"

    @property
    def newest(self) -> int:
        """The version that is written today, from 1."""
        return len(self.versions)

    def topic_name(self, topics: Topics) -> str:
        """The topic that holds this type."""
        match self.topic:
            case "assets":
                return topics.assets
            case "operations":
                return topics.operations
            case "subject_keys":
                return topics.subject_keys

    def subject(self, topics: Topics) -> str:
        """The registry's subject, by TopicRecordNameStrategy."""
        return f"{self.topic_name(topics)}-{self.full_name}"


_READ_MODELS = "projections"
_WORKER = "processors variants"
_PRESETS = "ops presets define"

CATALOGUE: Final = (
    EventType(
        cls=events.UploadRequested,
        namespace="darkroom.assets",
        topic="assets",
        versions=("darkroom.assets/UploadRequested.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="Somebody may now upload.",
    ),
    EventType(
        cls=events.UploadCompleted,
        namespace="darkroom.assets",
        topic="assets",
        versions=("darkroom.assets/UploadCompleted.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS, _WORKER),
        says="The original is in place and immutable, and its variants are asked for.",
    ),
    EventType(
        cls=events.ProcessingStarted,
        namespace="darkroom.assets",
        topic="assets",
        versions=("darkroom.assets/ProcessingStarted.v1.avsc",),
        producers=(_WORKER,),
        consumers=(_READ_MODELS, _WORKER),
        says="A worker took the job.",
    ),
    EventType(
        cls=events.VariantsReady,
        namespace="darkroom.assets",
        topic="assets",
        versions=("darkroom.assets/VariantsReady.v1.avsc",),
        producers=(_WORKER,),
        consumers=(_READ_MODELS, _WORKER),
        says="All variants of a preset set are stored.",
    ),
    EventType(
        cls=events.ProcessingFailed,
        namespace="darkroom.assets",
        topic="assets",
        versions=("darkroom.assets/ProcessingFailed.v1.avsc",),
        producers=(_WORKER,),
        consumers=(_READ_MODELS, _WORKER),
        says="An attempt ended badly.",
    ),
    EventType(
        cls=events.PresetSetDefined,
        namespace="darkroom.operations",
        topic="operations",
        versions=("darkroom.operations/PresetSetDefined.v1.avsc",),
        producers=(_PRESETS,),
        consumers=("api", _WORKER, _PRESETS),
        says="A preset set exists.",
    ),
    EventType(
        cls=events.PresetSetActivated,
        namespace="darkroom.operations",
        topic="operations",
        versions=("darkroom.operations/PresetSetActivated.v1.avsc",),
        producers=(_PRESETS,),
        consumers=("api", _WORKER, _PRESETS),
        says="From here on, new work names this preset set.",
    ),
    EventType(
        cls=events.SubjectKey,
        namespace="darkroom.identity",
        topic="subject_keys",
        versions=("darkroom.identity/SubjectKey.v1.avsc",),
        producers=("api",),
        consumers=("api", _WORKER, _READ_MODELS),
        says="A person has a data key, or had one that was erased.",
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

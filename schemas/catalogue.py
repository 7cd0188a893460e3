"""Every event there is: its class, its versions, where it lives, who says it and who listens."""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from schemas import events
from schemas.events import Event
from schemas.topics import Topics

TopicKind = Literal["assets", "identity", "operations", "subject_keys"]


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
            case "identity":
                return topics.identity
            case "operations":
                return topics.operations
            case "subject_keys":
                return topics.subject_keys

    def subject(self, topics: Topics) -> str:
        """The registry's subject, by TopicRecordNameStrategy."""
        return f"{self.topic_name(topics)}-{self.full_name}"


_READ_MODELS = "projections"
_WORKER = "processors variants"
_PURGE = "processors purge"
_PRESETS = "ops presets define"
_USERS = "ops users promote"
_ERASURES = "ops erasures run"

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
        cls=events.AssetPurged,
        namespace="darkroom.assets",
        topic="assets",
        versions=("darkroom.assets/AssetPurged.v1.avsc",),
        producers=(_ERASURES,),
        consumers=(_READ_MODELS, _WORKER, _PURGE),
        says="The asset is gone for good; everything under its prefix goes too.",
    ),
    EventType(
        cls=events.UserRegistered,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/UserRegistered.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="Somebody asks for the account of an address; the first has it.",
    ),
    EventType(
        cls=events.SessionStarted,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/SessionStarted.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="Somebody logged in, on one device.",
    ),
    EventType(
        cls=events.SessionRefreshed,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/SessionRefreshed.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="A refresh token was presented.",
    ),
    EventType(
        cls=events.SessionRevoked,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/SessionRevoked.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="A session was ended before its time.",
    ),
    EventType(
        cls=events.PasswordChanged,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/PasswordChanged.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="The account has another password, or the same one hashed anew.",
    ),
    EventType(
        cls=events.RoleChanged,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/RoleChanged.v1.avsc",),
        producers=("api", _USERS),
        consumers=(_READ_MODELS,),
        says="The person may do more, or less.",
    ),
    EventType(
        cls=events.ApiKeyIssued,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/ApiKeyIssued.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="A program may act for the person.",
    ),
    EventType(
        cls=events.ApiKeyRevoked,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/ApiKeyRevoked.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="A key is no longer any good.",
    ),
    EventType(
        cls=events.SubjectErased,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/SubjectErased.v1.avsc",),
        producers=("api",),
        consumers=(_READ_MODELS,),
        says="The person is to be forgotten, and the address is free.",
    ),
    EventType(
        cls=events.ErasureCompleted,
        namespace="darkroom.identity",
        topic="identity",
        versions=("darkroom.identity/ErasureCompleted.v1.avsc",),
        producers=(_ERASURES,),
        consumers=(_READ_MODELS,),
        says="Nothing readable of the person is left.",
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

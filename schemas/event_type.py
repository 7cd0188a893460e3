"""One type of event: its class, its versions, where it lives, who says it and who listens."""

from dataclasses import dataclass
from typing import Literal

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


def event_type(
    topic: TopicKind,
    cls: type[Event],
    says: str,
    *,
    producers: tuple[str, ...],
    consumers: tuple[str, ...],
    newest: int = 1,
) -> EventType:
    """A row whose files are named by its namespace, its class and the versions up to `newest`."""
    namespace = f"darkroom.{'identity' if topic == 'subject_keys' else topic}"
    return EventType(
        cls=cls,
        namespace=namespace,
        topic=topic,
        versions=tuple(f"{namespace}/{cls.__name__}.v{number}.avsc" for number in range(1, newest + 1)),
        producers=producers,
        consumers=consumers,
        says=says,
    )

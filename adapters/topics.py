"""The topics as the brokers have them, compared with the topics as they must be."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not in its __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from adapters.settings import KafkaSettings, Settings
from schemas.topics import TopicSpec, topic_specs

log = structlog.get_logger(__name__)

_REQUEST_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 1.0

# A broker may answer before it has heard of a topic that was just created on another.
_GRACE_SECONDS: Final = 5.0


class BrokerUnreachable(Exception):
    """No broker answers."""


class TopicDrift(Exception):
    """Topics are missing or are not as they must be; `sentences` say what to do."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        self.sentences = sentences
        super().__init__("\n".join(sentences))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTopic:
    """A topic as it is; `replication` is that of its least replicated partition."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it must be; `setting` is a topic setting, partitions or replication."""

    topic: str
    setting: str
    actual: str
    wanted: str

    @property
    def alterable(self) -> bool:
        """Whether it can be put right while everything runs, without moving a record."""
        return self.setting not in {"partitions", "replication"}

    @property
    def sentence(self) -> str:
        """What is wrong and what to do."""
        told = f"Topic {self.topic} has {self.setting} {self.actual}, and must have {self.wanted}."
        match self.setting:
            case "partitions":
                return (
                    f"{told} The count is fixed when a topic is created, since keys would move: set "
                    "KAFKA_PARTITIONS to what it was created with, or use another TOPIC_PREFIX."
                )
            case "replication":
                return f"{told} Reassign its replicas with Kafka's own tools, or correct KAFKA_REPLICATION."
            case _:
                return f"{told} `python -m ops topics apply --alter` sets it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is missing, and what is there and differs."""

    missing: tuple[TopicSpec, ...] = ()
    differences: tuple[Difference, ...] = field(default=())

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that is wrong."""
        missing = (
            f"Topic {spec.name} is missing. Run `python -m ops topics apply`." for spec in self.missing
        )
        return (*missing, *(difference.sentence for difference in self.differences))


def compare(specs: Sequence[TopicSpec], observed: Mapping[str, ObservedTopic]) -> Comparison:
    """Topics as they must be against topics as they are. More replicas than wanted are no fault."""
    missing = tuple(spec for spec in specs if spec.name not in observed)
    differences = (
        difference
        for spec in specs
        if (topic := observed.get(spec.name)) is not None
        for difference in _differences(spec, topic)
    )
    return Comparison(missing=missing, differences=tuple(differences))


def _differences(spec: TopicSpec, topic: ObservedTopic) -> Iterable[Difference]:
    def differs(setting: str, actual: object, wanted: object) -> Difference:
        return Difference(topic=spec.name, setting=setting, actual=str(actual), wanted=str(wanted))

    if topic.partitions != spec.partitions:
        yield differs("partitions", topic.partitions, spec.partitions)
    if topic.replication < spec.replication:
        yield differs("replication", topic.replication, spec.replication)
    for setting, wanted in spec.config.items():
        if (actual := topic.config.get(setting, "unset")) != wanted:
            yield differs(setting, actual, wanted)


def specs_of(kafka: KafkaSettings) -> tuple[TopicSpec, ...]:
    """The topics that these settings speak of."""
    return topic_specs(kafka.topic_prefix, kafka.partitions, kafka.replication)


class TopicAdmin:
    """Looks at topics and creates them. Every call raises BrokerUnreachable within seconds of no answer."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._admin = AdminClient(kafka.client())

    def observe(self, names: Iterable[str]) -> dict[str, ObservedTopic]:
        """Those of the topics that are there."""
        try:
            metadata = self._admin.list_topics(timeout=_REQUEST_SECONDS)
        except KafkaException as error:
            raise BrokerUnreachable(_words(error)) from error
        there = {name: metadata.topics[name].partitions for name in names if name in metadata.topics}
        configs = self._configs(tuple(there))
        return {
            name: ObservedTopic(
                name=name,
                partitions=len(partitions),
                replication=min((len(one.replicas) for one in partitions.values()), default=0),
                config=configs[name],
            )
            for name, partitions in there.items()
            if name in configs and partitions
        }

    def create(self, specs: Sequence[TopicSpec]) -> None:
        """Creates topics; one that somebody else creates meanwhile is taken as it comes."""
        if not specs:
            return
        new = [
            NewTopic(spec.name, spec.partitions, spec.replication, config=dict(spec.config)) for spec in specs
        ]
        for future in self._admin.create_topics(new, request_timeout=_REQUEST_SECONDS).values():
            _result(future, unless={KafkaError.TOPIC_ALREADY_EXISTS})

    def alter(self, differences: Iterable[Difference]) -> None:
        """Sets the settings that differ; leaves partitions and replication alone."""
        by_topic: dict[str, list[ConfigEntry]] = {}
        for difference in differences:
            if difference.alterable:
                entry = ConfigEntry(
                    difference.setting, difference.wanted, incremental_operation=AlterConfigOpType.SET
                )
                by_topic.setdefault(difference.topic, []).append(entry)
        resources = [
            ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
            for topic, entries in by_topic.items()
        ]
        if resources:
            for future in self._admin.incremental_alter_configs(
                resources, request_timeout=_REQUEST_SECONDS
            ).values():
                _result(future)

    def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        asked = self._admin.describe_configs(resources, request_timeout=_REQUEST_SECONDS)
        found = {
            resource.name: _result(future, unless={KafkaError.UNKNOWN_TOPIC_OR_PART})
            for resource, future in asked.items()
        }
        return {
            name: {setting: str(entry.value) for setting, entry in entries.items()}
            for name, entries in found.items()
            if entries is not None
        }


def require_topics(settings: Settings, *, stop: threading.Event | None = None) -> None:
    """Returns once the topics are there, each as it must be; for the start of every process. Blocks.

    Waits for brokers that can't be reached, until `stop` is set, and raises BrokerUnreachable then; raises
    TopicDrift, in sentences, where topics are missing or differ.
    """
    stop = stop or threading.Event()
    specs = specs_of(settings.kafka)
    first_missed: float | None = None
    while True:
        try:
            # A new client each time: one that lived through a broker's restart may never recover.
            compared = compare(specs, TopicAdmin(settings.kafka).observe(spec.name for spec in specs))
        except BrokerUnreachable as error:
            log.warning("brokers_unreachable", reason=str(error))
            if stop.wait(_PAUSE_SECONDS):
                raise
            continue
        if not compared.sentences:
            return
        first_missed = first_missed or time.monotonic()
        if compared.differences or time.monotonic() - first_missed > _GRACE_SECONDS:
            raise TopicDrift(compared.sentences)
        stop.wait(_PAUSE_SECONDS)


def _result(future: "Future[Any]", *, unless: frozenset[int] | set[int] = frozenset()) -> Any:  # noqa: ANN401
    """What the broker answered; None for an error that is listed."""
    try:
        return future.result()
    except KafkaException as error:
        fault = error.args[0]
        if fault.code() in unless:
            return None
        if fault.retriable() or fault.code() in _SILENCE:
            raise BrokerUnreachable(_words(error)) from error
        raise TopicDrift((f"The brokers refused: {_words(error)}.",)) from error


def _words(error: KafkaException) -> str:
    return str(error.args[0].str())


_SILENCE: Final = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001  # the client's public names
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    }
)

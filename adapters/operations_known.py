"""What a process knows by heart of the operations topic, event by event."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, assert_never
from uuid import UUID

from confluent_kafka import Message

from schemas.envelope import read_headers
from schemas.events import Preset, PresetSetActivated, PresetSetDefined, WorkersResumed
from schemas.scalars import uuid_from_text

# More than anybody looks back on: after each an operator has looked at why workers had stopped.
_RESUMED_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """An operator's word to workers, where and when the topic took it, and by which request."""

    event: WorkersResumed
    offset: int
    log_ms: int
    correlation_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the topic said so far; of the words to workers the last ones, each once."""

    definitions: Mapping[str, tuple[Preset, ...]] = field(default_factory=dict)
    active: str | None = None
    resumed: tuple[Resumption, ...] = ()


def learn(known: Known, event: PresetSetDefined | PresetSetActivated) -> Known:
    """Adds one event. A definition is never replaced: its hash is made of its content."""
    match event:
        case PresetSetDefined(preset_set=name, presets=presets):
            if name in known.definitions:
                return known
            return replace(known, definitions={**known.definitions, name: presets})
        case PresetSetActivated(preset_set=name):
            return replace(known, active=name)
        case _:
            assert_never(event)


def learn_resumed(known: Known, said: Resumption) -> Known:
    """Adds one word to workers; one that was said before under the same id is that one."""
    if any(each.event.event_id == said.event.event_id for each in known.resumed):
        return known
    return replace(known, resumed=(*known.resumed, said)[-_RESUMED_KEPT:])


def resumption(event: WorkersResumed, record: Message) -> Resumption:
    """The word that this record of the topic carries."""
    headers = record.headers()
    told = read_headers(headers if isinstance(headers, list) else [])
    return Resumption(
        event=event,
        offset=record.offset() or 0,
        log_ms=record.timestamp()[1],
        correlation_id=_id(told.get("correlationid")),
    )


def _id(text: str | None) -> UUID | None:
    try:
        return None if text is None else uuid_from_text(text)
    except ValueError:
        return None

"""Defines and activates preset sets: the only place that does."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Final

from adapters.clock import SystemClock, new_id
from adapters.event_log import KafkaEventLog
from adapters.operations import KafkaPresetSets
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.telemetry.metrics import Metrics
from adapters.topics import require_topics
from ops.sentences import in_sentences
from ops.waiting import UNREACHABLE, leave, stop_after
from schemas.codec import Codec
from schemas.envelope import Metadata
from schemas.events import Preset, PresetEvent, PresetSetActivated, PresetSetDefined
from schemas.presets import DEFAULT_PRESETS, preset_set_hash

_SOURCE: Final = "/ops/presets"


def define(
    settings: Settings, presets: Sequence[Preset] | None = None, *, wait: float = 60.0
) -> list[PresetEvent]:
    """Appends what is missing for `presets` to be active, and returns it; None means the own set, if none is.

    Raises typer.Exit with a sentence: 1 where a server can't be reached for `wait` seconds, 3 where topics or
    schemas are not as they must be.
    """
    with in_sentences():
        with stop_after(wait) as stop:
            require_topics(settings, stop=stop)
            codec = load_codec(settings, stop=stop)
        return _append(settings, codec, presets, wait)


def missing_events(
    presets: Sequence[Preset] | None, *, defined: bool, active: str | None, now: datetime
) -> list[PresetEvent]:
    """The events that make `presets` the active set; `defined` says whether the log has their definition."""
    if presets is None and active is not None:
        return []
    wanted = tuple(presets or DEFAULT_PRESETS)
    name = preset_set_hash(wanted)
    events: list[PresetEvent] = []
    if not defined:
        events.append(PresetSetDefined(event_id=new_id(), occurred_at=now, preset_set=name, presets=wanted))
    if active != name:
        events.append(PresetSetActivated(event_id=new_id(), occurred_at=now, preset_set=name))
    return events


def _append(
    settings: Settings, codec: Codec, presets: Sequence[Preset] | None, wait: float
) -> list[PresetEvent]:
    known = KafkaPresetSets(settings.kafka, codec, component="ops-presets")
    known.start()
    with closing(known):
        if not known.wait_until_current(wait):
            leave("The operations topic can't be read to its end.", code=UNREACHABLE)
        defined = known.definition(preset_set_hash(presets or DEFAULT_PRESETS)) is not None
        events = missing_events(presets, defined=defined, active=known.active(), now=SystemClock().now())
    if events:
        event_log = KafkaEventLog(settings.kafka, codec, metrics=Metrics().log)
        try:
            metadata = Metadata(correlation_id=new_id(), source=_SOURCE)
            for event in events:
                event_log.append_sync(event, metadata)
        finally:
            event_log.close_sync()
    return events

"""`python -m ops presets …`: the only place where preset sets are defined and activated."""

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.clock import SystemClock, new_id
from adapters.event_log import AppendFailed, KafkaEventLog
from adapters.operations import KafkaPresetSets
from adapters.schema_registry import ContractMismatch, RegistryRefused, RegistryUnavailable, load_codec
from adapters.settings import Settings, settings_or_exit
from adapters.telemetry.metrics import Metrics
from adapters.topics import BrokerUnreachable, TopicDrift, require_topics
from ops.waiting import UNREACHABLE, WRONG, Json, Wait, leave, quiet_logs, stop_after
from schemas.codec import Codec
from schemas.envelope import Metadata
from schemas.events import Preset, PresetEvent, PresetSetActivated, PresetSetDefined
from schemas.presets import DEFAULT_PRESETS, InvalidPresets, preset_set_hash, presets_from_json

app = typer.Typer(no_args_is_help=True, help="The sets of presets by which variants are made.")

_SOURCE: Final = "/ops/presets"
File = Annotated[
    Path | None,
    typer.Argument(exists=True, dir_okay=False, help="A JSON list of presets; Darkroom's own if none."),
]


@app.callback()
def _group() -> None:
    """Keeps `define` a sub-command while it is the only one."""


@app.command("define")
def define_command(file: File = None, wait: Wait = 60.0, as_data: Json = False) -> None:
    """Put a preset set into the log and make it the active one.

    Without FILE this is Darkroom's own set, and only where no set is active yet: an installation that chose
    another keeps it. Safe to repeat. Exit code: 0, or 3 where the set or the servers are not as they must be.
    """
    quiet_logs()
    try:
        presets = None if file is None else presets_from_json(file.read_text(encoding="utf-8"))
    except (InvalidPresets, UnicodeDecodeError) as error:
        leave(f"{file}: {error}", code=WRONG)
    appended = define(settings_or_exit(), presets, wait=wait)
    if as_data:
        typer.echo(
            json.dumps([{"event": type(one).__name__, "preset_set": one.preset_set} for one in appended])
        )
        return
    for event in appended:
        typer.echo(f"{type(event).__name__} {event.preset_set}")
    if not appended:
        typer.echo("Nothing to do: a preset set is active.")


def define(
    settings: Settings, presets: Sequence[Preset] | None = None, *, wait: float = 60.0
) -> list[PresetEvent]:
    """Appends what is missing for `presets` to be active, and returns it; None means the own set, if none is.

    Raises typer.Exit with a sentence: 1 where a server can't be reached for `wait` seconds, 3 where topics or
    schemas are not as they must be.
    """
    try:
        with stop_after(wait) as stop:
            require_topics(settings, stop=stop)
            codec = load_codec(settings, stop=stop)
        return _append(settings, codec, presets, wait)
    except (BrokerUnreachable, RegistryUnavailable) as error:
        leave(f"A server can't be reached: {error}.", code=UNREACHABLE)
    except (TopicDrift, ContractMismatch) as error:
        leave(*error.sentences, code=WRONG)
    except (AppendFailed, RegistryRefused) as error:
        leave(f"Not appended: {error}.", code=UNREACHABLE)


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

"""How the pipeline is run: the events of darkroom.operations.v1."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One variant to make: a box in pixels, `fit` contain or cover, formats (auto, jpeg, webp, avif, png)."""

    name: str
    width: int
    height: int
    fit: str
    formats: tuple[str, ...]
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetSetDefined:
    """A preset set exists; `preset_set` is the hash of `presets` (schemas.presets)."""

    event_id: UUID
    occurred_at: datetime
    preset_set: str
    presets: tuple[Preset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetSetActivated:
    """From here on new work names this preset set."""

    event_id: UUID
    occurred_at: datetime
    preset_set: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersResumed:
    """An operator told the workers of `component`, which stopped after too many dead letters, to go on."""

    event_id: UUID
    occurred_at: datetime
    actor_id: UUID | None = None
    component: str

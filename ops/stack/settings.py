"""Where the embedded stack lives and which ports it takes."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ops.stack.failures import StackFailure

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: programs run from here, because imports are flat."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""A TCP port; 0 means any free one."""


class StackSettings(BaseSettings):
    """Folder and ports, from the environment or `.env`; the defaults are nobody else's usual ports."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore", frozen=True)

    darkroom_home: Path = ROOT
    """The folder that holds `.darkroom/`."""
    darkroom_cache: Path | None = None
    """Downloaded servers; several folders may share one. Default: `.darkroom/cache` of the home."""
    port: Port = 8000
    darkroom_kafka_port: Port = 19092
    darkroom_registry_port: Port = 18081
    darkroom_store_port: Port = 19000
    darkroom_postgres_port: Port = 15432
    darkroom_api_metrics_port: Port = 19101
    darkroom_worker_metrics_port: Port = 19102
    darkroom_projector_metrics_port: Port = 19103
    darkroom_purge_metrics_port: Port = 19104
    darkroom_erasures_metrics_port: Port = 19105
    darkroom_housekeeping_metrics_port: Port = 19106
    darkroom_bulk_metrics_port: Port = 19107
    cors_origin: str = ""
    """Origins that a browser may upload from, comma-separated; empty: none but the API's own."""
    s3_bucket: Annotated[str, Field(min_length=3, max_length=63)] = "darkroom"
    s3_region: str = "us-east-1"


def load_stack_settings(home: Path | None = None) -> StackSettings:
    """Read the settings; `home` wins over DARKROOM_HOME. Raises StackFailure naming the bad setting."""
    try:
        settings = StackSettings()
    except ValidationError as error:
        faults = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise StackFailure(f"A setting is wrong: {faults}.") from error
    if home is not None:
        settings = settings.model_copy(update={"darkroom_home": home})
    return settings.model_copy(update={"darkroom_home": settings.darkroom_home.expanduser().resolve()})


def own_names() -> frozenset[str]:
    """Environment names that only the stack reads; children are started without them."""
    return frozenset(name.upper() for name in StackSettings.model_fields if name.startswith("darkroom_"))

"""Reads the settings of a process from its environment, with a sentence for each mistake."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from adapters.settings.doors import DoorSettings, LimitSettings
from adapters.settings.fields import Fragment
from adapters.settings.identity import IdentitySettings
from adapters.settings.production import weaknesses
from adapters.settings.programs import ProjectorSettings, RuntimeSettings, WorkerSettings
from adapters.settings.quotas import QuotaSettings
from adapters.settings.rates import RateSettings
from adapters.settings.runs import RunSettings
from adapters.settings.secrets import SecretSettings
from adapters.settings.servers import KafkaSettings, PostgresSettings, RegistrySettings, StoreSettings

_F = TypeVar("_F", bound=Fragment)

FRAGMENTS: Final[tuple[type[Fragment], ...]] = (
    RuntimeSettings,
    KafkaSettings,
    RegistrySettings,
    PostgresSettings,
    StoreSettings,
    SecretSettings,
    IdentitySettings,
    DoorSettings,
    LimitSettings,
    QuotaSettings,
    RateSettings,
    WorkerSettings,
    ProjectorSettings,
    RunSettings,
)

# Read by the commands that run the embedded stack (ops.stack), and known here so that they are no strangers.
STACK_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "DARKROOM_HOME": ("", "The folder that holds `.darkroom/`; the checkout where unset."),
    "DARKROOM_CACHE": ("", "Where downloaded servers are kept; several folders may share one."),
    "DARKROOM_KAFKA_PORT": ("19092", "The embedded broker's port; 0 takes any free one."),
    "DARKROOM_REGISTRY_PORT": ("18081", "The embedded registry's port."),
    "DARKROOM_STORE_PORT": ("19000", "The embedded store's port."),
    "DARKROOM_POSTGRES_PORT": ("15432", "The embedded database's port."),
    "DARKROOM_API_METRICS_PORT": ("19101", "Metrics and probes of the doors, under the embedded stack."),
    "DARKROOM_WORKER_METRICS_PORT": ("19102", "Metrics and probes of the worker, under the embedded stack."),
    "DARKROOM_PROJECTOR_METRICS_PORT": (
        "19103",
        "Metrics and probes of the projector, under the embedded stack.",
    ),
    "DARKROOM_PURGE_METRICS_PORT": (
        "19104",
        "Metrics and probes of the purge worker, under the embedded stack.",
    ),
    "DARKROOM_ERASURES_METRICS_PORT": (
        "19105",
        "Metrics and probes of the process that erases, under the embedded stack.",
    ),
    "DARKROOM_HOUSEKEEPING_METRICS_PORT": (
        "19106",
        "Metrics and probes of the process that keeps house, under the embedded stack.",
    ),
    "DARKROOM_BULK_METRICS_PORT": (
        "19107",
        "Metrics and probes of the bulk lane's worker, under the embedded stack.",
    ),
}

# Written by the embedded stack into .darkroom/env for other programs; a copy of it may serve as .env.
_WRITTEN_NAMES: Final = frozenset(
    {
        "API_METRICS_URL",
        "BULK_METRICS_URL",
        "ERASURES_METRICS_URL",
        "HOUSEKEEPING_METRICS_URL",
        "PROJECTOR_METRICS_URL",
        "PURGE_METRICS_URL",
        "WORKER_METRICS_URL",
    }
)


class SettingsError(Exception):
    """Settings that nothing can be started with; `sentences` say what is wrong and what to do."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a process, by concern. `warnings` are what production would refuse."""

    runtime: RuntimeSettings
    kafka: KafkaSettings
    registry: RegistrySettings
    postgres: PostgresSettings
    store: StoreSettings
    secrets: SecretSettings
    identity: IdentitySettings
    doors: DoorSettings
    limits: LimitSettings
    quotas: QuotaSettings
    rates: RateSettings
    worker: WorkerSettings
    projector: ProjectorSettings
    runs: RunSettings
    warnings: tuple[str, ...] = ()

    @property
    def production(self) -> bool:
        """Whether unsafe settings are refused."""
        return self.runtime.env == "production"

    @property
    def longest_job(self) -> timedelta:
        """How long after its request was withdrawn a job, of either lane, may still write to the store."""
        return max(self.worker.job_budget, self.runs.job_budget) + self.worker.outage_budget

    @property
    def seccomp_required(self) -> bool:
        """Whether a worker must refuse to decode without seccomp."""
        return self.production and not self.worker.allow_without_seccomp


def variable(field: FieldInfo) -> str:
    """The environment variable that a field is read from."""
    if not isinstance(field.validation_alias, str):
        raise TypeError("every setting names its variable")
    return field.validation_alias


def fields() -> Iterator[tuple[type[Fragment], str, FieldInfo]]:
    """Every setting there is: its fragment, its Python name, its field."""
    for fragment in FRAGMENTS:
        for name, field in fragment.model_fields.items():
            yield fragment, name, field


def load_settings(environ: Mapping[str, str] | None = None, *, env_file: Path | None = None) -> Settings:
    """The settings of this process; raises SettingsError with a sentence for each mistake.

    Without `environ` the process's own environment is read, and `.env` in the working folder beside it; the
    environment wins. An empty value is as good as none. Names that nobody reads are mistakes in the file, and
    everywhere where they begin with DARKROOM_.
    """
    if environ is None:
        environ, env_file = os.environ, env_file or Path(".env")
    written = _read_file(env_file) if env_file is not None and env_file.is_file() else {}
    values = {name: value for name, value in {**written, **environ}.items() if value != ""}
    mistakes = list(_unknown(written, environ))
    parts = [_fragment(kind, values, mistakes) for kind in FRAGMENTS]
    if mistakes:
        raise SettingsError(tuple(mistakes))
    return _checked(parts)


def settings_or_exit() -> Settings:
    """The settings of this process; on a mistake the sentences go to stderr and the process ends with 78."""
    try:
        return load_settings()
    except SettingsError as error:
        for sentence in error.sentences:
            print(sentence, file=sys.stderr)
        sys.exit(os.EX_CONFIG)


def _read_file(path: Path) -> dict[str, str]:
    # Read as it stands: a name in lower case is not ours, and said to be unknown.
    return {name: value or "" for name, value in dotenv_values(path).items()}


def _unknown(written: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    known = {variable(field) for _, _, field in fields()} | STACK_NAMES.keys() | _WRITTEN_NAMES
    for name in sorted(written.keys() - known):
        yield f"{name} in .env is no setting of Darkroom; remove it or correct its name (docs/settings.md)."
    for name in sorted(
        name for name in environ.keys() - known - written.keys() if name.startswith("DARKROOM_")
    ):
        yield f"{name} is no setting of Darkroom; unset it or correct its name (docs/settings.md)."


def _fragment(kind: type[_F], values: Mapping[str, str], mistakes: list[str]) -> _F | None:
    names = (variable(field) for field in kind.model_fields.values())
    try:
        return kind.model_validate({name: values[name] for name in names if name in values})
    except ValidationError as error:
        mistakes.extend(_sentences(kind, error))
        return None


def _sentences(kind: type[Fragment], error: ValidationError) -> Iterator[str]:
    by_variable = {variable(field): field for field in kind.model_fields.values()}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        said = problem["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
        name = str(problem["loc"][0]) if problem["loc"] else ""
        meant = by_variable[name].description if name in by_variable else None
        yield f"{name} {said}. ({meant})" if meant else f"{said}."


def _checked(parts: list[Fragment | None]) -> Settings:
    found = {type(part): part for part in parts}

    def pick(kind: type[_F]) -> _F:
        part = found[kind]
        if not isinstance(part, kind):
            raise TypeError(kind.__name__)
        return part

    runtime, kafka, registry = pick(RuntimeSettings), pick(KafkaSettings), pick(RegistrySettings)
    postgres, store, secrets = pick(PostgresSettings), pick(StoreSettings), pick(SecretSettings)
    doors = pick(DoorSettings)
    weak = tuple(weaknesses(runtime, kafka, registry, postgres, store, secrets, doors))
    if weak and runtime.env == "production":
        raise SettingsError(weak)
    return Settings(
        runtime=runtime,
        kafka=kafka,
        registry=registry,
        postgres=postgres,
        store=store,
        secrets=secrets,
        identity=pick(IdentitySettings),
        doors=doors,
        limits=pick(LimitSettings),
        quotas=pick(QuotaSettings),
        rates=pick(RateSettings),
        worker=pick(WorkerSettings),
        projector=pick(ProjectorSettings),
        runs=pick(RunSettings),
        warnings=weak,
    )

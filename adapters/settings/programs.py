"""How the programs run: each process, the worker, the projector."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from adapters.failpoints import Failpoints
from adapters.settings.fields import Duration, Fragment, HttpUrl, Programs


class RuntimeSettings(Fragment):
    """What every process of ours has."""

    env: Literal["development", "production"] = Field(
        default="development",
        validation_alias="DARKROOM_ENV",
        description="development or production; production refuses to start on anything unsafe.",
    )
    url: HttpUrl | None = Field(
        default=None,
        validation_alias="DARKROOM_URL",
        description="The address under which users reach the doors.",
    )
    state_dir: Path = Field(
        default=Path(".darkroom/state"),
        validation_alias="STATE_DIR",
        description="Folder for this process's local views and locks; one for each process.",
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        validation_alias="METRICS_HOST",
        min_length=1,
        description="Address for metrics and probes.",
    )
    metrics_port: int = Field(
        default=9464,
        validation_alias="METRICS_PORT",
        ge=0,
        le=65535,
        description="Port for metrics and probes, one for each process; 0 takes any free one.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias="LOG_LEVEL", description="debug, info, warning or error."
    )
    heartbeat_limit: Duration = Field(
        default=timedelta(seconds=30),
        validation_alias="HEARTBEAT_LIMIT",
        description="A loop that has been silent for longer counts as stuck.",
    )
    programs: Programs = Field(
        default=(),
        validation_alias="PROGRAM_URLS",
        description=(
            "The programs that `python -m ops health` and GET /v1/health ask how they are: name=address of "
            "the metrics port, separated by commas."
        ),
    )
    failpoints: str = Field(
        default="",
        validation_alias="FAILPOINTS",
        description="For tests: name=action[@N],… with kill, stop, exit, raise or sleep:seconds.",
    )

    @field_validator("failpoints")
    @classmethod
    def _are_failpoints(cls, value: str) -> str:
        Failpoints(value)
        return value


class WorkerSettings(Fragment):
    """The variants worker."""

    slot: int = Field(
        default=0,
        validation_alias="WORKER_SLOT",
        ge=0,
        le=999,
        description="This worker's place among its fellows; no two may share one.",
    )
    children: int = Field(
        default=2,
        validation_alias="WORKER_CHILDREN",
        ge=1,
        le=64,
        description="Sandboxed children that render at a time.",
    )
    shutdown_grace: Duration = Field(
        default=timedelta(seconds=10),
        validation_alias="WORKER_SHUTDOWN_GRACE",
        description="After SIGTERM the job in hand is cut at this age.",
    )
    session: Duration = Field(
        default=timedelta(seconds=10),
        validation_alias="WORKER_SESSION",
        ge=timedelta(seconds=6),
        le=timedelta(seconds=90),
        description="The consumer group forgets a silent worker after this; 6s to 90s.",
    )
    idle_limit: Duration = Field(
        default=timedelta(seconds=40),
        validation_alias="WORKER_IDLE_LIMIT",
        description="A worker that lags and has nothing in hand for longer leaves, to be started anew.",
    )
    job_timeout: Duration = Field(
        default=timedelta(seconds=15), validation_alias="JOB_TIMEOUT", description="One try at a job."
    )
    job_budget: Duration = Field(
        default=timedelta(seconds=25),
        validation_alias="JOB_BUDGET",
        description="All tries at a job together.",
    )
    outage_budget: Duration = Field(
        default=timedelta(seconds=60),
        validation_alias="OUTAGE_BUDGET",
        description="How long a job is retried in place while the store fails.",
    )
    keep_position: bool = Field(
        default=False,
        validation_alias="KEEP_GPS",
        description="true keeps where a picture was taken in its camera metadata; it is left out otherwise.",
    )
    allow_without_seccomp: bool = Field(
        default=False,
        validation_alias="ALLOW_WITHOUT_SECCOMP",
        description="true lets production decode where the system has no seccomp.",
    )


class ProjectorSettings(Fragment):
    """The projector."""

    batch: int = Field(
        default=2000,
        validation_alias="PROJECTOR_BATCH",
        ge=1,
        le=50_000,
        description="Most records that one transaction folds.",
    )

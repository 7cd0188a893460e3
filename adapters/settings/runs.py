"""The bulk lane: who goes there, how much of a run is asked for at a time, and how long old sets are kept."""

from datetime import timedelta

from pydantic import Field

from adapters.settings.fields import Duration, Fragment


class RunSettings(Fragment):
    """Floods, runs over many assets, and changes of the preset set."""

    bulk_above: int = Field(
        default=50,
        validation_alias="BULK_ABOVE",
        ge=0,
        description="Uploads of one person under way, above which further ones go to the bulk lane.",
    )
    outstanding: int = Field(
        default=64,
        validation_alias="RUNS_OUTSTANDING",
        ge=1,
        le=10_000,
        description="Most jobs that all runs together have asked for and not heard of.",
    )
    presets_grace: Duration = Field(
        default=timedelta(days=7),
        validation_alias="PRESETS_GRACE",
        description="How long a set of variants is kept after another took its place.",
    )
    job_timeout: Duration = Field(
        default=timedelta(seconds=60),
        validation_alias="BULK_JOB_TIMEOUT",
        description="One try at a job of the bulk lane, whose children get what others leave.",
    )
    job_budget: Duration = Field(
        default=timedelta(seconds=100),
        validation_alias="BULK_JOB_BUDGET",
        description="All tries at a job of the bulk lane together.",
    )

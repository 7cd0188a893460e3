"""How people are known: whose tokens these are, and what checking a password may cost."""

from datetime import timedelta

from pydantic import Field, field_validator

from adapters.settings.fields import Duration, Fragment


class IdentitySettings(Fragment):
    """Accounts, their tokens and their passwords."""

    issuer: str = Field(
        default="darkroom",
        validation_alias="JWT_ISSUER",
        min_length=1,
        max_length=200,
        description="Who access tokens say they are from; others are refused.",
    )
    audience: str = Field(
        default="darkroom",
        validation_alias="JWT_AUDIENCE",
        min_length=1,
        max_length=200,
        description="Whom access tokens are for; others are refused.",
    )
    password_threads: int = Field(
        default=2,
        validation_alias="PASSWORD_THREADS",
        ge=1,
        le=64,
        description="Passwords that one process hashes at a time; each takes a core and 19 MiB.",
    )
    password_queue: int = Field(
        default=128,
        validation_alias="PASSWORD_QUEUE",
        ge=1,
        le=10_000,
        description="Passwords that may wait to be hashed; beyond, the answer is 503.",
    )
    verdict_wait: Duration = Field(
        default=timedelta(seconds=2),
        validation_alias="VERDICT_WAIT",
        description="How long a registration and its like wait until the log has decided; less than 5s.",
    )

    @field_validator("verdict_wait")
    @classmethod
    def _below_the_http_deadline(cls, value: Duration) -> Duration:
        if value.total_seconds() >= 5:
            raise ValueError("must be below 5s, the time in which the doors answer")
        return value

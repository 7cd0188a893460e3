"""The settings as documents: docs/settings.md for people, .env.example to copy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from adapters.settings.doors import DoorSettings, LimitSettings
from adapters.settings.fields import Fragment
from adapters.settings.identity import IdentitySettings
from adapters.settings.loading import STACK_NAMES, fields, variable
from adapters.settings.programs import ProjectorSettings, RuntimeSettings, WorkerSettings
from adapters.settings.quotas import QuotaSettings
from adapters.settings.rates import RateSettings
from adapters.settings.runs import RunSettings
from adapters.settings.secrets import SecretSettings
from adapters.settings.servers import KafkaSettings, PostgresSettings, RegistrySettings, StoreSettings

_TITLES: Final[dict[type[Fragment], str]] = {
    RuntimeSettings: "Every process",
    KafkaSettings: "Kafka",
    RegistrySettings: "Schema registry",
    PostgresSettings: "Postgres",
    StoreSettings: "Object store",
    SecretSettings: "Credentials and keys",
    IdentitySettings: "Accounts",
    DoorSettings: "Doors",
    LimitSettings: "Limits",
    QuotaSettings: "Quotas",
    RateSettings: "Rates",
    WorkerSettings: "Worker",
    ProjectorSettings: "Projector",
    RunSettings: "Bulk lane and runs",
}
_STACK_TITLE: Final = "Embedded stack"
_INTRODUCTION: Final = """\
# Settings

Read from the environment and, beside it, from `.env` in the working folder; the environment wins, and an
empty value is as good as none. A value that can't be stops the start with a sentence. So does a name that
nobody knows, in `.env` and wherever it begins with `DARKROOM_`.

With `DARKROOM_ENV=production` warnings become refusals: secrets that are missing, weak or published,
failpoints, fewer than three replicas, any host allowed, addresses on other machines without TLS.

Durations are written `900`, `15m`, `24h`, `7d`; lists are separated by commas; sizes are bytes. The embedded
stack (`make up`) sets addresses and secrets itself and keeps them in `.darkroom/env`.

This page is made from the code: `python -m ops docs settings`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A setting as a reader sees it; no default means that it is unset, or that it is a secret."""

    section: str
    name: str
    default: str | None
    secret: bool
    meaning: str


def rows() -> Iterator[Row]:
    """Every setting, in the order of the documents."""
    for fragment, _, field in fields():
        secret = fragment is SecretSettings and not isinstance(field.default, timedelta)
        secret = secret or isinstance(field.default, SecretStr) or "SecretStr" in str(field.annotation)
        yield Row(
            section=_TITLES[fragment],
            name=variable(field),
            default=None if secret else _written(field),
            secret=secret,
            meaning=field.description or "",
        )
    for name, (default, meaning) in STACK_NAMES.items():
        yield Row(section=_STACK_TITLE, name=name, default=default or None, secret=False, meaning=meaning)


def markdown() -> str:
    """docs/settings.md."""
    lines, section = [_INTRODUCTION], ""
    for row in rows():
        if row.section != section:
            section = row.section
            lines.append(f"\n## {section}\n\n| name | default | meaning |\n|---|---|---|\n")
        default = f"`{row.default}`" if row.default else ("secret" if row.secret else "")
        lines.append(f"| `{row.name}` | {default} | {row.meaning} |\n")
    return "".join(lines)


def example() -> str:
    """.env.example: what has a default is written with it, what has none stands as a comment."""
    lines = ["# Every setting; copy to .env and change what you need. docs/settings.md says more.\n"]
    section = ""
    for row in rows():
        if row.section != section:
            section = row.section
            lines.append(f"\n# --- {section} ---\n")
        lines.append(f"# {row.meaning}\n")
        lines.append(f"{row.name}={row.default}\n" if row.default else f"# {row.name}=\n")
    return "".join(lines)


def _written(field: FieldInfo) -> str | None:
    match field.default:
        case None | "" | ():
            return None
        case bool() as value:
            return str(value).lower()
        case timedelta() as value:
            return _duration(value)
        case tuple() as values:
            return ",".join(values)
        case value:
            return str(value)


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"

"""The kinds of value that a setting can have, and how each is read from text."""

import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr

_UNITS: Final[Mapping[str, int]] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1", ""})
_HOST_AND_PORT: Final = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$")
_WORD: Final = re.compile(r"^[A-Za-z0-9._-]+$")


class Fragment(BaseModel):
    """A concern's settings: each field names its variable (`validation_alias`) and says what it is for.

    Fields can be given by their Python names too, which is how tests and programs make one by hand.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,  # a refused secret must not be printed by its refusal
        validate_default=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


def is_loopback(host: str | None) -> bool:
    """Whether a host name stands for this machine (no name at all means a unix socket)."""
    return (host or "").strip("[]").lower() in _LOOPBACK


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (part.strip() for part in value.split(",")) if part)
    return value


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", value.strip())
    if match is None:
        raise ValueError("must be a duration such as 900, 15m, 24h or 7d")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address such as https://store.example.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must not hold credentials, a query or a fragment")
    return value.rstrip("/")


def _origin(value: str) -> str:
    parts = urlsplit(_http_url(value))
    if parts.path:
        raise ValueError("must be origins such as https://gallery.example.org, without a path")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _servers(value: str) -> str:
    names = [part.strip() for part in value.split(",") if part.strip()]
    for name in names:
        match = _HOST_AND_PORT.match(name)
        if match is None or not 0 < int(match[2]) < 65536:
            raise ValueError("must be a list such as broker-1:9092,broker-2:9092")
    if not names:
        raise ValueError("must name at least one server")
    return ",".join(names)


def _word(value: str) -> str:
    if not _WORD.match(value):
        raise ValueError("may hold letters, digits, dots, underscores and hyphens only")
    return value


def _program(value: str) -> str:
    name, separator, address = value.partition("=")
    if not separator or not _WORD.match(name):
        raise ValueError("must be a list such as api=http://127.0.0.1:19101,variants=http://127.0.0.1:19102")
    return f"{name}={_http_url(address)}"


def _network(value: str) -> str:
    try:
        return value if value == "*" else str(ip_network(value))
    except ValueError as error:
        raise ValueError("must be addresses or networks such as 10.0.0.1 or 10.1.0.0/16") from error


def _existing_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("must be a file that exists")
    return value


Duration = Annotated[timedelta, BeforeValidator(_seconds), AfterValidator(_positive)]
"""A time span: `900`, `15m`, `24h`, `7d`."""

HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An http or https address, without a slash at its end."""

Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_split)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_split)]
"""Addresses and networks; `*` for all."""
Programs = Annotated[tuple[Annotated[str, AfterValidator(_program)], ...], BeforeValidator(_split)]
"""Programs by name, each with the address of its metrics port."""
Servers = Annotated[str, AfterValidator(_servers)]
Word = Annotated[str, AfterValidator(_word)]
ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
Secret = SecretStr

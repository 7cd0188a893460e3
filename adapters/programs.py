"""Asks the programs of an installation how they are, on their metrics ports."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

# Longer than the doors take to say of a server that it does not answer.
PATIENCE_SECONDS: Final = 5.0
# Of the programs of an installation no proxy knows anything.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_MOST_BYTES: Final = 1_000_000


class Noted(BaseModel):
    """A trouble or an error, by its code."""

    model_config = ConfigDict(frozen=True)

    code: str
    since: datetime


class Met(BaseModel):
    """An error that was met, over or not."""

    model_config = ConfigDict(frozen=True)

    code: str
    at: datetime


class LoopTold(BaseModel):
    """A loop as its program shows it (adapters.telemetry.loops)."""

    model_config = ConfigDict(frozen=True)

    loop: str
    silent_seconds: float
    positions: Mapping[str, int] | None
    lag_records: int | None
    lag_seconds: float | None
    troubles: tuple[Noted, ...]
    last_error: Met | None


class Told(BaseModel):
    """What /readyz of a program says; there may be more in it."""

    model_config = ConfigDict(frozen=True)

    status: str
    reason: str | None
    component: str
    stuck: str | None
    loops: tuple[LoopTold, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramState:
    """A program that was asked: what it told, or in words why that can't be said."""

    name: str
    address: str
    told: Told | None
    silence: str | None

    @property
    def ready(self) -> bool:
        """Whether it answered that it can do what it is for."""
        return self.told is not None and self.told.status == "ok"

    @property
    def well(self) -> bool:
        """Whether it is ready and alive, and nothing keeps any loop of it from going on."""
        told = self.told
        return (
            told is not None
            and self.ready
            and told.stuck is None
            and not any(loop.troubles for loop in told.loops)
        )


def asked(programs: Sequence[str], patience: float = PATIENCE_SECONDS) -> list[ProgramState]:
    """How each of these programs is, `name=address` as in PROGRAM_URLS, in their order; all at once.

    Blocks for a little more than `patience` seconds at most; never raises for what a program does.
    """
    if not programs:
        return []
    with ThreadPoolExecutor(len(programs), "programs") as pool:
        return list(pool.map(lambda each: _asked(each, patience), programs))


def _asked(program: str, patience: float) -> ProgramState:
    name, _, address = program.partition("=")
    silence = f"It has not answered within {patience:g} s."
    try:
        told = Told.model_validate_json(_read(f"{address}/readyz", patience))
    except (ValidationError, http.client.HTTPException):
        silence = "It answers, but not as a program of this release does."
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if not isinstance(reason, TimeoutError):
            silence = "Nothing answers there."
    else:
        return ProgramState(name=name, address=address, told=told, silence=None)
    return ProgramState(name=name, address=address, told=None, silence=silence)


def _read(url: str, patience: float) -> bytes:
    try:
        with _OPENER.open(url, timeout=patience) as answer:
            return bytes(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return error.read(_MOST_BYTES)

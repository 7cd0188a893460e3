"""Whether this process lives, and whether it can do what it is for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.telemetry import Loops
from adapters.telemetry.loops import LoopState
from api.parts import Parts

# Probes come from balancers, orchestrators and strangers alike; the servers behind are asked this often.
FRESH_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 2.0

Check = Callable[[], Awaitable[bool]]


class Health(BaseModel):
    """One word."""

    model_config = ConfigDict(frozen=True)

    status: Annotated[Literal["ok", "unavailable"], Field(examples=["ok"])]


class Readiness(Health):
    """One word in all, and one for each thing that is needed."""

    checks: Annotated[dict[str, Literal["ok", "unavailable"]], Field(examples=[{"event_log": "ok"}])]


class Probes:
    """Asks what this process needs, all at once, and remembers the answers for a moment."""

    def __init__(self, checks: Mapping[str, Check], loops: Loops) -> None:
        self._checks = checks
        self._loops = loops
        self._asked_at = float("-inf")
        self._known: dict[str, bool] = {}
        self._failed: dict[str, datetime] = {}
        self._asking = asyncio.Lock()
        self.draining = False

    async def checks(self) -> dict[str, bool]:
        """For each need whether it is met."""
        async with self._asking:
            if time.monotonic() - self._asked_at > FRESH_SECONDS:
                met = await asyncio.gather(*(self._ask(check) for check in self._checks.values()))
                self._known = dict(zip(self._checks, met, strict=True))
                self._asked_at = time.monotonic()
                self._failed |= {name: datetime.now(UTC) for name, well in self._known.items() if not well}
        return {**self._known, "serving": not self.draining}

    def failed(self) -> dict[str, datetime]:
        """For each need that was not met once, when that was seen last."""
        return dict(self._failed)

    def loops(self) -> list[LoopState]:
        """How each loop of this process is."""
        return self._loops.states()

    def stuck(self) -> str | None:
        """Which loops are silent; None where all is well."""
        return self._loops.stuck()

    async def _ask(self, check: Check) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await check()
        except TimeoutError:
            return False


def checks_of(parts: Parts) -> dict[str, Check]:
    """What the doors need to be of use."""

    async def presets() -> bool:
        return parts.presets.active() is not None

    async def keys() -> bool:
        return await asyncio.to_thread(parts.keys.wait_until_current, 0.0)

    return {
        "event_log": parts.log.reachable,
        "object_store": parts.store.reachable,
        "read_store": parts.reads.answer,
        "presets": presets,
        "subject_keys": keys,
    }


async def probes_of(request: Request) -> Probes:
    return cast("Probes", request.app.state.probes)


_ProbesHere = Annotated[Probes, Depends(probes_of)]
router = APIRouter(tags=["health"])


@router.get("/health", summary="One word")
async def health() -> Health:
    """ok while the process can answer at all."""
    return Health(status="ok")


@router.get(
    "/livez",
    summary="Is the process alive?",
    responses={503: {"model": Health, "description": "Restart it."}},
)
async def livez(probes: _ProbesHere, response: Response) -> Health:
    """503 when one of its loops is stuck."""
    stuck = probes.stuck() is not None
    response.status_code = 503 if stuck else 200
    return Health(status="unavailable" if stuck else "ok")


@router.get(
    "/readyz",
    summary="Can it do what it is for?",
    responses={503: {"model": Readiness, "description": "Send it no work."}},
)
async def readyz(probes: _ProbesHere, response: Response) -> Readiness:
    """503 while anything that the doors need is away."""
    checks = await probes.checks()
    ready = all(checks.values())
    response.status_code = 200 if ready else 503
    return Readiness(
        status="ok" if ready else "unavailable",
        checks={name: "ok" if met else "unavailable" for name, met in checks.items()},
    )

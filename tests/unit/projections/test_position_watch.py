"""The position watch before read models that take a connection and then say nothing."""

import asyncio
from typing import Any, Self

import pytest

from adapters.telemetry import Loop
from projections import waiting
from projections.waiting import PositionWatch


class Frozen:
    """A connection on which nothing is ever answered."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def execute(self, _statement: bytes) -> None:
        await asyncio.Event().wait()


async def test_before_a_frozen_database_it_beats_and_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the doors, which can do much without Postgres, would be taken for stuck and ended."""
    tried: list[str] = []
    enough = asyncio.Event()

    async def connect(conninfo: str) -> Any:
        tried.append(conninfo)
        if len(tried) == 3:
            enough.set()
        return Frozen()

    monkeypatch.setattr(waiting, "_connect", connect)
    monkeypatch.setattr(waiting, "_ANSWER_SECONDS", 0.01)
    loop = Loop()
    watch = PositionWatch("", loop=loop)
    await watch.start()
    try:
        await asyncio.wait_for(enough.wait(), 30)
        assert [each.error for each in loop.condition.troubles()] == ["read models: TimeoutError"]
    finally:
        await watch.close()

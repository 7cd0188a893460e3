"""A silent store keeps nobody waiting, a busy one is waited for."""

import asyncio
import time

import pytest

from adapters.object_store import InMemoryObjectStore, ObjectInfo, PromptStore, StoreUnavailable


class Behind(InMemoryObjectStore):
    """A store whose `head` lasts until it is told; it may be silent altogether."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = False
        self.over = asyncio.Event()
        self.questions = 0
        self.given_up = 0

    async def head(self, key: str) -> ObjectInfo | None:
        try:
            await self.over.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return await super().head(key)

    async def reachable(self) -> bool:
        self.questions += 1
        await asyncio.sleep(0.05)
        return not self.silent


async def test_a_silent_store_is_given_up_by_all_who_wait_for_one_question() -> None:
    behind = Behind()
    behind.silent = True
    store = PromptStore(behind, quiet=0.1)
    began = time.monotonic()
    ends = await asyncio.gather(*(store.head("x") for _ in range(5)), return_exceptions=True)
    assert {type(end) for end in ends} == {StoreUnavailable}
    assert time.monotonic() - began < 5
    assert (behind.questions, behind.given_up) == (1, 5)


async def test_a_busy_store_is_waited_for() -> None:
    behind = Behind()
    store = PromptStore(behind, quiet=0.05)
    await store.put("x", b"bytes", content_type="image/jpeg")
    asking = asyncio.create_task(store.head("x"))
    async with asyncio.timeout(10):
        while behind.questions < 2:  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.01)
        behind.over.set()
        found = await asking
    assert found is not None
    assert found.size == 5


async def test_who_goes_away_leaves_no_call_behind() -> None:
    behind = Behind()
    store = PromptStore(behind, quiet=10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await store.head("x")
    await asyncio.sleep(0)
    assert behind.given_up == 1

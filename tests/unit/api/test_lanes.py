"""R31: who floods us goes to the bulk lane, and nobody else's upload notices."""

from collections.abc import AsyncIterator

import pytest

from schemas.events import UploadCompleted
from tests.unit.api.doors import ADA, BEN, Stage, stage, upload


@pytest.fixture
async def crowded() -> AsyncIterator[Stage]:
    async with stage(BULK_ABOVE="3") as made:
        yield made


async def lanes(on: Stage, uploads: int, key: str = ADA) -> list[str]:
    return [(await upload(on, key))[1].lane for _ in range(uploads)]


async def test_r31_the_uploads_above_the_bound_go_to_the_bulk_lane(crowded: Stage) -> None:
    assert await lanes(crowded, 5) == ["live", "live", "live", "live", "bulk"]


async def test_r31_another_person_stays_in_the_live_lane(crowded: Stage) -> None:
    await lanes(crowded, 5)
    assert await lanes(crowded, 1, BEN) == ["live"]


async def test_r31_whoever_has_been_served_is_live_again(crowded: Stage) -> None:
    await lanes(crowded, 5)
    for event in crowded.events():
        if isinstance(event, UploadCompleted):
            await crowded.worked_on(event)
    assert await lanes(crowded, 1) == ["live"]


async def test_without_a_database_everybody_is_live(crowded: Stage) -> None:
    await lanes(crowded, 4)
    crowded.reads.down = True
    answer = await crowded.client().post(
        "/v1/uploads", files={"file": ("a.jpg", b"\xff\xd8\xff", "image/jpeg")}
    )
    assert answer.status_code == 202, answer.text
    completed = crowded.events()[-1]
    assert isinstance(completed, UploadCompleted)
    assert completed.lane == "live"

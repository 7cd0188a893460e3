"""Conditions of the command line: every one is understood, and nothing else is."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
import typer

from api.letter_filter import LetterFilter
from ops.dead_letters.choosing import filter_of

SOMEBODY = UUID(int=7)


def test_every_condition_is_understood() -> None:
    wanted = filter_of(
        [
            "component=variants",
            "code=store_unavailable",
            "type=UploadCompleted",
            f"asset={SOMEBODY}",
            f"owner={SOMEBODY}",
            "format=image/jpeg",
            "encoder=pillow 12",
            "since=2026-05-17",
            "until=2026-05-18T00:00:00+02:00",
        ]
    )
    assert wanted == LetterFilter(
        component="variants",
        code="store_unavailable",
        event_type="UploadCompleted",
        asset_id=SOMEBODY,
        owner_id=SOMEBODY,
        content_type="image/jpeg",
        encoder="pillow 12",
        since=datetime(2026, 5, 17, tzinfo=UTC),
        until=datetime(2026, 5, 17, 22, tzinfo=UTC),
    )


@pytest.mark.parametrize("condition", ["code", "colour=red", "asset=x", "since=yesterday", "=x"])
def test_what_is_no_condition_ends_the_command(condition: str) -> None:
    with pytest.raises(typer.BadParameter):
        filter_of([condition])

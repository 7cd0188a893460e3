"""Which letters a command means: by their ids, or by what they say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import typer

from adapters.dead_letters import LetterPage
from api.letter_filter import LetterFilter
from api.letters import Standing, standings
from ops.desk import Desk
from ops.waiting import WRONG, leave

_PAGE: Final = 200


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_READ: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "component": ("component", str),
    "code": ("code", str),
    "type": ("event_type", str),
    "asset": ("asset_id", UUID),
    "format": ("content_type", str),
    "encoder": ("encoder", str),
    "owner": ("owner_id", UUID),
    "since": ("since", _moment),
    "until": ("until", _moment),
}
CONDITIONS: Final = ", ".join(_READ)


def filter_of(where: Sequence[str]) -> LetterFilter:
    """Conditions as `name=value`; ends the command at one that nobody knows."""
    given: dict[str, Any] = {}
    for condition in where:
        name, equals, text = condition.partition("=")
        if not equals or name not in _READ:
            raise typer.BadParameter(f"{condition}: conditions are name=value, with {CONDITIONS}")
        field, read = _READ[name]
        try:
            given[field] = read(text)
        except ValueError:
            raise typer.BadParameter(f"{condition}: can't be read") from None
    return LetterFilter(**given)


async def by_ids(desk: Desk, letter_ids: Sequence[str]) -> list[Standing]:
    """These letters; ends the command where there is no such one."""
    found = []
    for letter_id in letter_ids:
        letter = await asyncio.to_thread(desk.letters.letter, letter_id)
        if letter is None:
            leave(f"There is no dead letter {letter_id}.", code=WRONG)
        found.append(letter)
    return await standings(desk.work, found, desk.secret)


async def by_filter(desk: Desk, wanted: LetterFilter) -> AsyncIterator[Standing]:
    """All letters that the filter wants, newest first, without their values."""
    before: Mapping[int, int] | None = None
    while True:
        page = await _page(desk, wanted, before)
        for standing in await standings(desk.work, page.letters, desk.secret):
            yield standing
        if not page.rest:
            return
        before = page.rest


async def _page(desk: Desk, wanted: LetterFilter, before: Mapping[int, int] | None) -> LetterPage:
    return await asyncio.to_thread(
        desk.letters.page,
        lambda letter: wanted.wants(letter, desk.codec.decode),
        limit=_PAGE,
        before=before,
    )

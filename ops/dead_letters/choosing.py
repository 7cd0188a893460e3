"""Which letters a command means: by their ids, or by what they say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import typer

from adapters.dead_letters import LetterPage
from adapters.dead_letters.letters import place_of
from api.letter_filter import LetterFilter, sifting
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Letters, newest first; `over` were left out as nothing hangs on them.

    `more` says that others follow: nobody looked further, and `over` counts those that were met until then.
    """

    letters: Sequence[Standing]
    over: int
    more: bool


def ids_of(texts: Sequence[str]) -> list[str]:
    """Letters' ids from the command line, each once; ends the command at what is none."""
    for text in texts:
        if place_of(text) is None:
            raise typer.BadParameter(f"{text} is no letter's id; `list` gives them, like 3-17")
    return list(dict.fromkeys(texts))


async def chosen(desk: Desk, wanted: LetterFilter, *, everything: bool, most: int) -> Chosen:
    """Up to `most` letters that the filter wants; without `everything`, those on which something hangs."""
    found: list[Standing] = []
    over = 0
    async for standing in by_filter(desk, wanted):
        if standing.state == "over" and not everything:
            over += 1
        elif len(found) == most:
            return Chosen(letters=found, over=over, more=True)
        else:
            found.append(standing)
    return Chosen(letters=found, over=over, more=False)


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
    sifted = sifting(wanted, desk.codec.decode, desk.work.told)
    return await asyncio.to_thread(desk.letters.page, sifted, limit=_PAGE, before=before)

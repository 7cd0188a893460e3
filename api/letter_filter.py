"""Which dead letters are meant: by who gave up, why, what, whose and when."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.dead_letters import Letter, Wanted
from api.letters import asset_of
from projections.dead_letters.queries import Told
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.events import Event

Decode = Callable[[bytes | None], Event]
"""Reads a record's value; raises DecodeError, UnknownEventType."""

LookUp = Callable[[Collection[UUID]], Awaitable[Mapping[UUID, Told]]]
"""What the read models know of assets; raises psycopg.OperationalError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """All conditions that are given must hold.

    `encoder` is a part of how the letter names it, such as one program's version. `event_type` is the bare or
    the full name, as the record's header says it. `since` and `until` (excluded) bound the last failure,
    aware. `content_type` and `owner_id` are those of the asset's row; where it has none, what the record
    itself says, if it can be read.
    """

    component: str | None = None
    code: str | None = None
    event_type: str | None = None
    asset_id: UUID | None = None
    content_type: str | None = None
    encoder: str | None = None
    owner_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def asks_assets(self) -> bool:
        """Whether letters alone can't tell."""
        return self.content_type is not None or self.owner_id is not None

    def fits(self, letter: Letter) -> bool:
        """Whether all that the letter itself says is as wanted."""
        reason = letter.reason
        return (
            self.component in {None, reason.component}
            and self.code in {None, reason.code}
            and (self.encoder is None or self.encoder in (reason.encoder or ""))
            and (self.asset_id is None or letter.record.key == str(self.asset_id).encode())
            and self._of_type(letter)
            and self._in_time(reason.last_failed_at or reason.first_failed_at)
        )

    def fits_asset(self, letter: Letter, told: Told | None, decode: Decode) -> bool:
        """Whether what it is about is as wanted; the letter has its value."""
        owner_id, content_type = _read(letter, decode) if told is None else (told.owner_id, told.content_type)
        return self.owner_id in {None, owner_id} and self.content_type in {None, content_type}

    def _of_type(self, letter: Letter) -> bool:
        full = letter.headers.get("ce_type", "")
        return self.event_type is None or self.event_type in {full, full.rpartition(".")[2]}

    def _in_time(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


def sifting(wanted: LetterFilter, decode: Decode, look_up: LookUp) -> Wanted:
    """The filter for a letter box that is read in a thread beside the running loop, where `look_up` runs.

    Retries and records that nobody can decode say little of their asset: its row knows.
    """
    loop = asyncio.get_running_loop()

    def sifted(letters: Sequence[Letter]) -> list[bool]:
        plain = [wanted.fits(letter) for letter in letters]
        if not wanted.asks_assets or not any(plain):
            return plain
        assets = [asset_of(letter) if fits else None for letter, fits in zip(letters, plain, strict=True)]
        named = {asset_id for asset_id in assets if asset_id is not None}
        told = asyncio.run_coroutine_threadsafe(_looked_up(look_up, named), loop).result()
        return [
            fits and wanted.fits_asset(letter, told.get(asset_id) if asset_id else None, decode)
            for letter, fits, asset_id in zip(letters, plain, assets, strict=True)
        ]

    return sifted


async def _looked_up(look_up: LookUp, asset_ids: Collection[UUID]) -> Mapping[UUID, Told]:
    return await look_up(asset_ids) if asset_ids else {}


def _read(letter: Letter, decode: Decode) -> tuple[UUID | None, str | None]:
    """Owner and content type as the record says them; None where it does not."""
    try:
        event = decode(letter.record.value)
    except (DecodeError, UnknownEventType):
        return None, None
    owner = getattr(event, "owner_id", None) or getattr(event, "user_id", None)
    return owner, getattr(event, "content_type", None)

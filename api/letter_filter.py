"""Which dead letters are meant: by who gave up, why, what, whose and when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.dead_letters import Letter
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.events import Event

Decode = Callable[[bytes | None], Event]
"""Reads a record's value; raises DecodeError, UnknownEventType."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """All conditions that are given must hold.

    `encoder` is a part of how the letter names it, such as one program's version. `event_type` is the bare or
    the full name, as the record's header says it. `since` and `until` (excluded) bound the last failure,
    aware. `content_type` and `owner_id` are only known of records that can be read.
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

    def wants(self, letter: Letter, decode: Decode) -> bool:
        """Whether this letter, with its value, is meant."""
        reason = letter.reason
        plain = (
            self.component in {None, reason.component}
            and self.code in {None, reason.code}
            and (self.encoder is None or self.encoder in (reason.encoder or ""))
            and (self.asset_id is None or letter.record.key == str(self.asset_id).encode())
            and self._of_type(letter)
            and self._in_time(reason.last_failed_at or reason.first_failed_at)
        )
        return plain and (
            (self.content_type is None and self.owner_id is None) or self._inside(letter, decode)
        )

    def _of_type(self, letter: Letter) -> bool:
        full = letter.headers.get("ce_type", "")
        return self.event_type is None or self.event_type in {full, full.rpartition(".")[2]}

    def _in_time(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)

    def _inside(self, letter: Letter, decode: Decode) -> bool:
        try:
            event = decode(letter.record.value)
        except (DecodeError, UnknownEventType):
            return False
        owner = getattr(event, "owner_id", None) or getattr(event, "user_id", None)
        return self.owner_id in {None, owner} and self.content_type in {
            None,
            getattr(event, "content_type", None),
        }

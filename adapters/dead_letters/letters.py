"""A dead letter as it is read: where it lies, what was given up, by whom and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from adapters.dead_letters.protocol import Reason
from schemas.envelope import RawRecord, read_headers

_OURS: Final = "dl-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One dead letter.

    `partition` and `offset` are its own in the dead-letter topic, `written_at` the log's time of it. `record`
    is what was given up, with those of its headers that are text; in a list its value is left away.
    `said_value` says how long the value is, or that it is null.
    """

    partition: int
    offset: int
    written_at: datetime
    record: RawRecord
    reason: Reason
    said_value: str

    @property
    def letter_id(self) -> str:
        """By which it is asked for."""
        return f"{self.partition}-{self.offset}"

    @property
    def headers(self) -> dict[str, str]:
        """Those of the record."""
        return read_headers(self.record.headers)

    def without_value(self) -> "Letter":
        """The same for a list: values may be a megabyte each."""
        return replace(self, record=replace(self.record, value=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterPage:
    """Letters, newest first; `rest` gives for each partition before which offset the next page begins.

    An empty `rest` means that these were the last. A page may be short, and even empty, with more to come:
    only so many letters are looked at for one.
    """

    letters: Sequence[Letter]
    rest: Mapping[int, int]


Wanted = Callable[[Sequence[Letter]], Sequence[bool]]
"""Says of each letter, in their order, whether a page is to hold it; is shown many at a time, with values."""


class LetterBox(Protocol):
    """Where dead letters are read."""

    def page(self, wanted: Wanted, *, limit: int, before: Mapping[int, int] | None = None) -> LetterPage:
        """Up to `limit` letters, their values left away; `before` is the `rest` of the page before.

        Raises LettersUnreadable.
        """
        ...

    def letter(self, letter_id: str) -> Letter | None:
        """One letter with its value, None where there is none (any more); raises LettersUnreadable."""
        ...


class LettersUnreadable(Exception):
    """The brokers are away."""


def place_of(letter_id: str) -> tuple[int, int] | None:
    """Partition and offset of a letter in its topic; None for what is no letter's id."""
    partition, dash, offset = letter_id.partition("-")
    for part in (partition, offset):
        if not (part.isascii() and part.isdigit() and len(part) <= 18):
            return None
    return (int(partition), int(offset)) if dash else None


def letter_of(kept: RawRecord) -> Letter:
    """Reads a record of the dead-letter topic; what it does not say is empty or the letter's own time."""
    texts = read_headers(kept.headers)
    written_at = _time(kept.timestamp_ms)
    said = {name: text for name, text in texts.items() if name.startswith(_OURS)}
    originals = [(name, text.encode()) for name, text in texts.items() if name not in said]
    null = said.get("dl-value") == "null"
    record = RawRecord(
        topic=said.get("dl-topic", ""),
        partition=_natural(said.get("dl-partition")),
        offset=_natural(said.get("dl-offset")),
        timestamp_ms=_natural(said.get("dl-timestamp")),
        key=kept.key,
        value=None if null else kept.value,
        headers=originals,
    )
    first = _moment(said.get("dl-first-failed-at")) or written_at
    reason = Reason(
        component=said.get("dl-component", ""),
        code=said.get("dl-code", ""),
        error_kind=said.get("dl-error-kind", ""),
        first_failed_at=first,
        last_failed_at=_moment(said.get("dl-last-failed-at")) or first,
        attempts=_natural(said.get("dl-attempts")) or 1,
        stack_hash=said.get("dl-stack-hash"),
        encoder=said.get("dl-encoder"),
    )
    return Letter(
        partition=kept.partition,
        offset=kept.offset,
        written_at=written_at,
        record=record,
        reason=reason,
        said_value=said.get("dl-value", "null" if kept.value is None else f"{len(kept.value)} bytes"),
    )


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _natural(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 18 else 0

"""Where a stream begins, and what it missed: nothing left out, nothing twice, or an honest reset."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from api.notifications.entries import Entry, kind_of
from api.notifications.hub import Listener
from api.notifications.tailer import Tailer, assets_of
from api.parts import Parts
from api.problems import NotYetApplied
from projections import waiting
from schemas.positions import InvalidPosition, Position, vector_from_token

# What was missed is sent as fast as the client reads; who missed more than this is better off with a list.
MOST_MISSED: Final = 5000
_PAGE: Final = 200
_MAX_TOKEN: Final = 4096


class TooFarBack(Exception):
    """What was missed is older, or more, than is kept for resuming."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A stream begins at `since`, and hears of everything after `live` as it happens.

    `reset` says that what the client had seen is not known here. `live` is the place in the feed from which
    the listener's outbox goes on.
    """

    since: Mapping[int, int]
    live: Mapping[int, int]
    reset: bool = False


async def begin(parts: Parts, tailer: Tailer, token: str | None) -> Start:
    """Where a stream begins whose listener has joined: its outbox holds at least all that comes after `live`.

    `token` is a stream's last id, or a write's position, or None. Raises NotYetApplied while the read models
    are being made again below `live`, and psycopg.OperationalError.
    """
    await tailer.settled()
    live = tailer.vector
    if token is None:
        return Start(since=live, live=live)
    since = _seen(parts, token, live)
    if since is None or await _unknown(parts, since, live):
        return Start(since=live, live=live, reset=True)
    await _applied(parts, live)
    return Start(since=since, live=live)


async def missed(parts: Parts, tailer: Tailer, listener: Listener, start: Start) -> AsyncIterator[Entry]:
    """The owner's entries after `start.since` up to `start.live`, in order; raises TooFarBack."""
    topic = parts.settings.kafka.topics.assets
    oldest = parts.clock.now() - parts.settings.doors.sse_window
    cursor, seen, count = dict(start.since), dict(start.since), 0
    while True:
        rows = await parts.reads.entries_after(
            topic=topic, after=cursor, owner_id=listener.owner_id, limit=_PAGE
        )
        cursor |= {row.partition: row.offset for row in rows}  # offsets ascend: the last one stands
        # What is newer than `live` is on its way through the outbox.
        due = [row for row in rows if row.offset <= start.live.get(row.partition, -1)]
        shown = await assets_of(parts.reads, {row.asset_id for row in due})
        for row in due:
            count += 1
            if count > MOST_MISSED or row.log_time < oldest:
                raise TooFarBack
            seen[row.partition] = row.offset
            if (kind := kind_of(row)) is not None:
                yield tailer.entry(row, kind, dict(seen), shown)
        if len(rows) < _PAGE or not due:
            return


def merged(one: Mapping[int, int], other: Mapping[int, int]) -> Mapping[int, int]:
    """Of each partition the later of both positions.

    Where that is `other` it is `other` itself: thousands of idle streams hold one vector between them.
    """
    if all(offset <= other.get(partition, -1) for partition, offset in one.items()):
        return other
    return {
        partition: max(one.get(partition, -1), other.get(partition, -1))
        for partition in one.keys() | other.keys()
    }


def _seen(parts: Parts, token: str, live: Mapping[int, int]) -> dict[int, int] | None:
    """The vector behind a token; None where it is none of ours. A position stands for `live`, but there."""
    kafka = parts.settings.kafka
    if len(token) > _MAX_TOKEN:
        return None
    try:
        vector = vector_from_token(token)
    except InvalidPosition:
        try:
            position = Position.from_token(token)
        except InvalidPosition:
            return None
        if position.topic != kafka.topics.assets:
            return None
        vector = {**live, position.partition: position.offset}
    return vector if all(partition < kafka.partitions for partition in vector) else None


async def _unknown(parts: Parts, since: Mapping[int, int], live: Mapping[int, int]) -> bool:
    """Whether `since` runs ahead of everything: made up, or of a log that is no more."""
    ahead = {partition: offset for partition, offset in since.items() if offset > live.get(partition, -1)}
    wait = min(parts.settings.doors.read_wait, timedelta(seconds=2)).total_seconds()
    for partition, offset in ahead.items():
        position = Position(topic=parts.settings.kafka.topics.assets, partition=partition, offset=offset)
        try:
            await parts.reads.wait_for(position, wait)
        except waiting.NotYetApplied:
            return True
    return False


async def _applied(parts: Parts, live: Mapping[int, int]) -> None:
    """Waits until the read models hold all of `live`: they may be on their way up after a reset."""
    wait = parts.settings.doors.read_wait.total_seconds()
    for partition, offset in live.items():
        if offset < 0:
            continue
        position = Position(topic=parts.settings.kafka.topics.assets, partition=partition, offset=offset)
        try:
            await parts.reads.wait_for(position, wait)
        except waiting.NotYetApplied as error:
            raise NotYetApplied from error

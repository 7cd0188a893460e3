"""Answers the gallery as of an instant or a position: newest requests first, nothing sifted or sorted."""

from fastapi import Request, Response

from api.caller import Caller
from api.parts import Parts
from api.problems import invalid
from api.queries.as_of import page_at
from api.queries.listing import listed
from api.representations import AssetPage, asset_shape
from projections.past.queries import Begun
from schemas.positions import InvalidPosition, Position

_LARGEST: int = 50
_TOGETHER = frozenset({"at", "limit", "cursor", "after"})


async def gallery_at(
    request: Request, parts: Parts, caller: Caller, at: str, limit: int, cursor: str | None
) -> Response:
    """One page; raises Invalid for filters, for which nobody keeps the past, and for what `at` can't name."""
    if strange := sorted(request.query_params.keys() - _TOGETHER):
        raise invalid(f"query.{strange[0]}", "does not go together with `at`")
    limit = min(limit, _LARGEST)
    before = await _before(parts, caller, cursor) if cursor is not None else None
    rows, following = await page_at(parts, caller.user_id, at, before=before, limit=limit)
    now = parts.clock.now()
    items = tuple(asset_shape(row, addresses=parts.addresses, now=now) for row in rows)
    token = _cursor(parts, following) if following is not None else None
    body = AssetPage(items=items, next_cursor=token)
    return listed(body, request.url.path, {"at": at, "limit": limit}, token)


def _cursor(parts: Parts, begun: Begun) -> str:
    topic = parts.settings.kafka.topics.assets
    return Position(topic=topic, partition=begun.partition, offset=begun.offset).token()


async def _before(parts: Parts, caller: Caller, cursor: str) -> Begun:
    try:
        position = Position.from_token(cursor)
    except InvalidPosition as error:
        raise invalid("query.cursor", "is no cursor of this list") from error
    log_time = await parts.past.logged_at(position)
    if log_time is None:
        raise invalid("query.cursor", "is no cursor of this list")
    return Begun(caller.user_id, log_time, position.partition, position.offset)

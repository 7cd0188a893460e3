"""Reads an owner's assets page by page: filtered, found by words, in any of four orders."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from projections.assets.queries import AssetRow, rows, statement
from projections.assets.search import search_query, sought

SortKey = Literal["uploaded", "taken", "title", "size"]

# Titles are compared by what fits into a line; the table's index says the same.
TITLE_LENGTH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """Which assets of an owner a page shows, and in which order; None means any.

    `tags` must all be there, `text` is found by the beginnings of its words in title, description, file name
    and tags. `since` and `until` (excluded) bound the time of the upload, aware. `trashed` shows the trash
    and nothing else.
    """

    owner_id: UUID
    status: str | None = None
    tags: tuple[str, ...] = ()
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    content_type: str | None = None
    trashed: bool = False
    sort: SortKey = "uploaded"
    descending: bool = True


class AssetMark(NamedTuple):
    """Where a row stands in its order: by what it is sorted, and its id where that is the same."""

    value: datetime | str | int
    asset_id: UUID


def mark_of(row: AssetRow, sort: SortKey) -> AssetMark:
    """Where this row stands; what nobody knows of it sorts as the least.

    A title is lower-cased by Postgres, so here it stands as it is.
    """
    match sort:
        case "uploaded":
            return AssetMark(row.listed_at, row.asset_id)
        case "taken":
            return AssetMark(row.taken_at or "", row.asset_id)
        case "title":
            title = row.title if row.title is not None else row.file_name or ""
            return AssetMark(title[: TITLE_LENGTH + 1], row.asset_id)
        case "size":
            return AssetMark(row.size or 0, row.asset_id)


async def assets_page(
    conn: AsyncConnection[Any], wanted: AssetFilter, *, limit: int, after: AssetMark | None
) -> list[AssetRow]:
    """Up to `limit` assets that follow the mark in the order that is wanted."""
    beginnings = sought(wanted.text) if wanted.text is not None else []
    if wanted.text is not None and not beginnings:
        return []  # no word, nothing that it could begin
    parameters: dict[str, Any] = {
        "owner_id": wanted.owner_id,
        "status": wanted.status,
        "since": wanted.since,
        "until": wanted.until,
        "content_type": wanted.content_type,
        "limit": limit,
    }
    if wanted.tags or beginnings:
        parameters["query"] = search_query(wanted.owner_id, beginnings=beginnings, tags=wanted.tags)
    if after is not None:
        parameters |= {"after_value": after.value, "after_id": after.asset_id}
    pieces = tuple(_pieces(wanted))
    return await rows(conn, _page(pieces, wanted.sort, wanted.descending, after is not None), parameters)


def _pieces(wanted: AssetFilter) -> Iterator[str]:
    """The conditions by name; only those that are asked for, so that each has a plan of its own."""
    yield "trashed" if wanted.trashed else "kept"
    if wanted.status is not None:
        yield "status"
    if wanted.tags or wanted.text is not None:
        yield "found"
    if wanted.since is not None:
        yield "since"
    if wanted.until is not None:
        yield "until"
    if wanted.content_type is not None:
        yield "content_type"


_AFTER: Final = {
    "uploaded": b"%(after_value)s::timestamptz",
    "taken": b"%(after_value)s::text",
    "title": b"left(lower(%(after_value)s::text), 64)",
    "size": b"%(after_value)s::int8",
}


@cache
def _page(pieces: tuple[str, ...], sort: SortKey, descending: bool, goes_on: bool) -> bytes:
    key, direction = statement(f"by_{sort}"), b"desc" if descending else b"asc"
    parts = [statement("page"), *(statement(piece) for piece in pieces)]
    if goes_on:
        sign = b"<" if descending else b">"
        parts.append(b"and (%s, asset_id) %s (%s, %%(after_id)s::uuid)" % (key, sign, _AFTER[sort]))
    parts.append(b"order by %s %s, asset_id %s limit %%(limit)s" % (key, direction, direction))
    return b"\n".join(parts)

"""Reads the gallery: an owner's assets, filtered, searched and sorted, page by page; and the trash."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from api.access import catching_up, caught_up
from api.etags import matches
from api.moments import Moment
from api.openapi import problems
from api.parts import Parts
from api.problems import invalid
from api.queries.as_of import At
from api.queries.gallery_at import gallery_at
from api.queries.listing import Limit, cut
from api.queries.sealed_cursors import cursor_for, mark_from
from api.read_cache import Page
from api.representations import PRIVATE, AssetPage, Status, asset_shape, etag_of
from api.words import MAX_TAG_LENGTH, MAX_TAGS
from projections.assets.pages import AssetFilter, AssetMark, SortKey, mark_of

LIST: Final = "/v1/assets"
DEFAULT_PAGE: Final = 50

Sort = Literal["uploaded", "-uploaded", "taken", "-taken", "title", "-title", "size", "-size"]
Format = Literal["jpeg", "png", "webp", "gif", "avif"]

Tags = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=MAX_TAG_LENGTH)]] | None,
    Query(
        alias="tag", max_length=MAX_TAGS, description="Only what has this tag; given twice, what has both."
    ),
]
Text = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="Only what has, for each of these words, a word that begins so in its title, "
        "description, file name or tags. Case does not matter.",
        examples=["harb boats"],
    ),
]
From = Annotated[Moment | None, Query(alias="from", description="Only what was uploaded since then.")]
To = Annotated[Moment | None, Query(description="Only what was uploaded before then.")]
Order = Annotated[
    Sort,
    Query(
        description="By what to sort; `-` is from the greatest down. `taken` is the camera's time; what has "
        "none counts as the earliest."
    ),
]

router = APIRouter(tags=["assets"])


@router.get(
    LIST,
    response_model=AssetPage,
    summary="List your assets",
    responses={304: {"description": "You have it already."}, **problems(401, 403, 422, 503)},
    openapi_extra=catching_up("assets:read"),
)
async def list_assets(
    request: Request,
    status: Annotated[Status | None, Query(description="Only those of this status.")] = None,
    tags: Tags = None,
    q: Text = None,
    since: From = None,
    to: To = None,
    picture_format: Annotated[
        Format | None, Query(alias="format", description="Only originals of this format.")
    ] = None,
    deleted: Annotated[bool, Query(description="true lists the trash, and nothing else.")] = False,
    sort: Order = "-uploaded",
    limit: Limit = DEFAULT_PAGE,
    cursor: Annotated[
        str | None, Query(max_length=2000, description="`next_cursor` of the page before.")
    ] = None,
    at: At = None,
) -> Response:
    """Newest first unless sorted otherwise. Pages don't shift when new assets arrive."""
    parts, caller = await caught_up(request, "assets:read")
    if at is not None:
        return await gallery_at(request, parts, caller, at, limit, cursor)
    wanted = AssetFilter(
        owner_id=caller.user_id,
        status=status,
        tags=tuple(_storable("tag", tag) for tag in tags or ()),
        text=_storable("q", q) if q is not None else None,
        since=since,
        until=to,
        content_type=f"image/{picture_format}" if picture_format is not None else None,
        trashed=deleted,
        sort=_key(sort),
        descending=sort.startswith("-"),
    )
    after = mark_from(parts, cursor, wanted) if cursor is not None else None
    asked = [*_asked(request), ("limit", str(limit))]
    named = f"{asked} {cursor} {parts.addresses.number(parts.clock.now())}"
    page = await parts.cache.page(caller.user_id, named, lambda: _page(parts, wanted, limit, after, asked))
    return _answer(page, request.headers.get("if-none-match"))


def _answer(page: Page, known: str | None) -> Response:
    headers = {**PRIVATE, "ETag": page.etag} | ({} if page.link is None else {"Link": page.link})
    if matches(known, page.etag):
        return Response(status_code=304, headers=headers)
    return Response(page.body, media_type="application/json", headers=headers)


async def _page(
    parts: Parts, wanted: AssetFilter, limit: int, after: AssetMark | None, asked: list[tuple[str, str]]
) -> Page:
    """One page with all its addresses; its ETag names each asset on it, and whether there are more."""
    rows = await parts.reads.assets_page(wanted, limit=limit + 1, after=after)
    shown, last = cut(rows, limit)
    following = None
    if last is not None:
        following = await cursor_for(parts, mark_of(last, wanted.sort), wanted)
    now = parts.clock.now()
    items = tuple(asset_shape(row, addresses=parts.addresses, now=now) for row in shown)
    body = AssetPage(items=items, next_cursor=following).model_dump_json().encode()
    etags = (f"{row.asset_id} {etag_of(row, addresses=parts.addresses, now=now)}" for row in shown)
    name = blake2b(repr((asked, *etags, following is None)).encode(), digest_size=12).hexdigest()
    link = None
    if following is not None:
        link = f'<{LIST}?{urlencode([*asked, ("cursor", following)])}>; rel="next"'
    return Page(etag=f'"{name}"', body=body, link=link)


def _key(sort: Sort) -> SortKey:
    keys: dict[str, SortKey] = {"uploaded": "uploaded", "taken": "taken", "title": "title", "size": "size"}
    return keys[sort.removeprefix("-")]


def _asked(request: Request) -> Iterator[tuple[str, str]]:
    """The filter as it was asked for, to be asked for again."""
    kept = {"status", "tag", "q", "from", "to", "format", "deleted", "sort"}
    return ((name, value) for name, value in request.query_params.multi_items() if name in kept)


def _storable(name: str, text: str) -> str:
    if "\0" in text:
        raise invalid(f"query.{name}", "must not hold NUL")
    return text

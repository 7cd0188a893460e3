"""Reads users, for administrators; and erasures, for whoever knows their ids."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.access import catching_up, caught_up
from api.identity_problems import ProjectorAway
from api.openapi import problems
from api.parts import parts_of
from api.problems import NotFound
from api.queries.cursors import cursor_for, mark_of
from api.queries.listing import Cursor, Limit, cut, listed
from api.representations import PRIVATE
from api.user_shapes import Erasure, UserPage, erasure_shape, user_shape

USERS: Final = "/v1/users"

router = APIRouter(tags=["users"])


@router.get(
    USERS,
    response_model=UserPage,
    summary="List users",
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("admin"),
)
async def list_users(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """For administrators: everybody with an account, newest first."""
    parts, caller = await caught_up(request, "admin")
    bound_to = f"users {caller.user_id}"
    before = mark_of(parts.signer, cursor, bound_to=bound_to) if cursor is not None else None
    rows = await parts.identity.accounts.page(limit=limit + 1, before=before)
    page, last = cut(rows, limit)
    following = None
    if last is not None:
        following = cursor_for(parts.signer, (last.registered_at, last.user_id), bound_to=bound_to)
    body = UserPage(items=tuple(user_shape(row) for row in page), next_cursor=following)
    return listed(body, USERS, {"limit": limit}, following)


@router.get(
    "/v1/erasures/{erasure_id}",
    summary="Ask how far an erasure is",
    responses=problems(404, 422, 503),
)
async def read_erasure(
    request: Request,
    response: Response,
    erasure_id: Annotated[UUID, Path(description="As the answer to the erasure named it.")],
) -> Erasure:
    """Needs no credential, since whoever asked for it has none any more: the id can't be guessed.

    The receipt is there when nothing readable is left.
    """
    parts = parts_of(request)
    row = await parts.identity.accounts.erasure(erasure_id)
    if row is None:
        # Its answer came after it was applied; so nobody has to wait here, least of all for a stranger.
        raise NotFound if parts.identity.accounts.caught_up() else ProjectorAway
    response.headers.update(PRIVATE)
    return erasure_shape(row)

"""Reads the ledger: what work on images has cost, in processor time and bytes."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from api.access import catching_up, caught_up
from api.identity_problems import NotAllowed
from api.openapi import problems
from api.representations import Shape
from projections.usage.queries import Group, UsageFilter, UsageRow

router = APIRouter(tags=["storage"])

LARGEST_PAGE = 1_000


class UsageLine(Shape):
    """Sums over some finished jobs; null is what the lines were not told apart by."""

    owner_id: UUID | None
    asset_id: UUID | None
    preset_set: str | None
    day: date | None
    jobs: int
    cpu_ms: int
    wall_ms: int
    bytes_read: int
    bytes_written: int


class Usage(Shape):
    """Lines of the ledger, the dearest first, and the sum over all jobs, listed or not."""

    items: tuple[UsageLine, ...]
    total: UsageLine


@router.get(
    "/v1/usage",
    summary="Ask what work has cost",
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def read_usage(
    request: Request,
    by: Annotated[list[Group] | None, Query(max_length=4, description="What tells lines apart.")] = None,
    asset: Annotated[UUID | None, Query(description="Only this asset, be it purged since.")] = None,
    since: Annotated[date | None, Query(alias="from", description="From this day on, in UTC.")] = None,
    to: Annotated[date | None, Query(description="Up to this day, included.")] = None,
    everybody: Annotated[bool, Query(description="true is all owners; for admins.")] = False,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
) -> Usage:
    """What was measured of each result that counted: milliseconds of processor and wall, bytes in and out."""
    parts, caller = await caught_up(request, "assets:read")
    if everybody and not caller.admin:
        raise NotAllowed
    owner_id = None if everybody else caller.user_id
    wanted = UsageFilter(owner_id=owner_id, asset_id=asset, since=since, until=to)
    rows = await parts.past.usage(wanted, by=frozenset(by or ()), limit=limit)
    total = await parts.past.usage(wanted, by=frozenset(), limit=1)
    return Usage(items=tuple(_line(row) for row in rows), total=_line(total[0]) if total else _NOTHING)


def _line(row: UsageRow) -> UsageLine:
    return UsageLine.model_validate(row, from_attributes=True)


_NOTHING = UsageLine(
    owner_id=None,
    asset_id=None,
    preset_set=None,
    day=None,
    jobs=0,
    cpu_ms=0,
    wall_ms=0,
    bytes_read=0,
    bytes_written=0,
)

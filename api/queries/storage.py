"""Reads how much lies in the store, and what is left of the quota."""

from collections.abc import Callable, Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.access import catching_up, caught_up
from api.identity_problems import NotAllowed
from api.openapi import problems
from api.queries.as_of import At, storage_at
from api.representations import Shape
from projections.storage.queries import StorageRow

router = APIRouter(tags=["storage"])


class Amount(Shape):
    """So many files of so many bytes together."""

    files: int
    bytes: int


class Named(Amount):
    """The same, of those that have something in common."""

    name: str


class Left(Shape):
    """What may still be kept; null where there is no bound."""

    files: int | None
    bytes: int | None


class StorageStats(Shape):
    """Files and bytes by the log; `trash` is part of all others, and what was purged is part of none."""

    originals: Amount
    variants: Amount
    total: Amount
    trash: Amount
    by_status: tuple[Named, ...]
    by_format: tuple[Named, ...]
    left: Left


@router.get(
    "/v1/storage/stats",
    summary="Ask how much is stored",
    responses=problems(401, 403, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def storage_stats(
    request: Request,
    everybody: Annotated[bool, Query(description="true counts all owners; for admins.")] = False,
    at: At = None,
) -> StorageStats:
    """Your files, or everybody's, as they are or as they were."""
    parts, caller = await caught_up(request, "assets:read")
    if everybody and not caller.admin:
        raise NotAllowed
    owner_id = None if everybody else caller.user_id
    if at is not None:
        rows = await storage_at(parts, owner_id, at)
    else:
        rows = await parts.past.storage(owner_id)
    originals = _sum(row for row in rows if row.kind == "original")
    bounds = parts.settings.quotas
    return StorageStats(
        originals=originals,
        variants=_sum(row for row in rows if row.kind == "variant"),
        total=_sum(rows),
        trash=_sum(row for row in rows if row.trashed),
        by_status=_by(rows, lambda row: row.status),
        by_format=_by(rows, lambda row: row.format),
        left=Left(
            files=None if everybody else _left(bounds.files, originals.files),
            bytes=None if everybody else _left(bounds.bytes, originals.bytes),
        ),
    )


def _sum(rows: Iterable[StorageRow]) -> Amount:
    found = list(rows)
    return Amount(files=sum(row.files for row in found), bytes=sum(row.bytes for row in found))


def _by(rows: list[StorageRow], name: Callable[[StorageRow], str]) -> tuple[Named, ...]:
    names = sorted({name(row) for row in rows})
    sums = {one: _sum(row for row in rows if name(row) == one) for one in names}
    return tuple(Named(name=one, files=found.files, bytes=found.bytes) for one, found in sums.items())


def _left(bound: int | None, used: int) -> int | None:
    return None if bound is None else max(0, bound - used)

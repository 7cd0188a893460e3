"""Reads an asset's history: who did what, when, what it caused, how long it took and what it cost."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from api.access import catching_up, caught_up
from api.actors import Actor, actor_of
from api.openapi import problems
from api.problems import NotFound, invalid
from api.queries.listing import Cursor, Limit, cut, listed
from api.representations import JobCost, Shape
from api.tokens import InvalidToken
from projections.activity.history import HistoryRow
from schemas.positions import Position

ROUTE: Final = "/v1/assets/{asset_id}/history"
_PURPOSE: Final = "history-cursor"
_COST: Final = tuple(JobCost.model_fields)
# What is told of an event beside its type; a new fact is told only once it stands here.
_TOLD: Final = frozenset(
    {
        *("method", "content_type", "size", "lane", "preset_set", "variants", "format", "retryable"),
        *("will_retry", "reason", "run_id", "changed", "link_id", "variant", "status"),
    }
)

router = APIRouter(tags=["assets"])


class Step(Shape):
    """One event, accepted or not, with what caused it."""

    event_id: UUID
    event: Annotated[str, Field(examples=["VariantsReady"])]
    accepted: Annotated[
        bool, Field(description="false: a repeat, or what made no sense any more; it changed nothing.")
    ]
    actor: Annotated[Actor, Field(description="Whose word it is.")]
    worker: Annotated[str | None, Field(examples=["variants-0"])]
    job_id: UUID | None
    attempt: int | None
    kind: Annotated[str | None, Field(description="How an attempt failed.", examples=["refused"])]
    code: Annotated[str | None, Field(examples=["not_an_image"])]
    occurred_at: Annotated[datetime, Field(description="By the clock of whose word it is.")]
    logged_at: Annotated[datetime, Field(description="By the log's clock.")]
    seconds: Annotated[
        float | None,
        Field(description="Since the step before, by the log's clock; null of the first.", examples=[0.182]),
    ]
    position: Annotated[str, Field(description="Where it stands in the log; any read takes it as `after`.")]
    request_id: Annotated[UUID | None, Field(description="The `X-Request-Id` of the request that said it.")]
    caused_by: Annotated[UUID | None, Field(description="The event without which it would not be.")]
    cost: JobCost | None
    encoder: Annotated[
        dict[str, str] | None, Field(description="Who made the bytes.", examples=[{"pillow": "12.0.0"}])
    ]
    details: Annotated[dict[str, Any], Field(description="Small facts by type of event; nothing personal.")]


class History(Shape):
    """What happened to an asset, oldest first."""

    items: tuple[Step, ...]
    next_cursor: Annotated[str | None, Field(description="For ?cursor= ; null on the last page.")]


@router.get(
    ROUTE,
    response_model=History,
    summary="Read what happened to an asset",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=catching_up("assets:read"),
)
async def read_history(
    request: Request,
    asset_id: Annotated[UUID, Path(description="An asset that is or was yours.")],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The causal chain in the log's order. Of an asset that is gone for good it is all that is left."""
    parts, caller = await caught_up(request, "assets:read")
    bound_to = f"{asset_id} {caller.user_id}"
    after = -1
    if cursor is not None:
        try:
            after = int(parts.signer.open(_PURPOSE, cursor, bound_to=bound_to))
        except (InvalidToken, ValueError) as error:
            raise invalid("query.cursor", "is no cursor of this list") from error
    rows = await parts.reads.history(owner_id=caller.user_id, asset_id=asset_id, after=after, limit=limit + 1)
    if not rows and cursor is None:
        raise NotFound
    page, last = cut(rows, limit)
    following = None
    if last is not None:
        following = parts.signer.sign(_PURPOSE, str(last.offset).encode(), bound_to=bound_to)
    body = History(items=tuple(step_shape(row, caller.user_id) for row in page), next_cursor=following)
    return listed(body, ROUTE.format(asset_id=asset_id), {"limit": limit}, following)


def step_shape(row: HistoryRow, owner_id: UUID) -> Step:
    """One record as the asset's owner sees it."""
    data = row.data
    costs = {name: data[name] for name in _COST if name in data}
    position = Position(topic=row.topic, partition=row.partition, offset=row.offset)
    return Step(
        event_id=row.event_id,
        event=row.event_type,
        accepted=row.accepted,
        actor=actor_of(row.event_type, row.code, row.actor_id, owner_id),
        worker=row.worker,
        job_id=row.job_id,
        attempt=row.attempt,
        kind=row.kind,
        code=row.code,
        occurred_at=row.occurred_at,
        logged_at=row.log_time,
        seconds=row.since_before.total_seconds() if row.since_before is not None else None,
        position=position.token(),
        request_id=row.correlation_id,
        caused_by=row.caused_by,
        cost=JobCost(**costs) if len(costs) == len(_COST) else None,
        encoder=data.get("encoder"),
        details={name: value for name, value in data.items() if name in _TOLD and value is not None},
    )

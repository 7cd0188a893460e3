"""How the installation stands, for administrators: needs, loops, and how far the read models are."""

import asyncio
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import entered, entering
from api.health import probes_of
from api.openapi import problems
from api.parts import Parts

router = APIRouter(tags=["health"])


class PartitionStanding(BaseModel):
    """How far the read models of one partition are."""

    model_config = ConfigDict(frozen=True)

    topic: Annotated[str, Field(examples=["darkroom.assets.v1"])]
    partition: int
    position: Annotated[int, Field(description="The next offset to apply.")]
    end: Annotated[int | None, Field(description="The next offset to be written; null while no broker says.")]
    behind: Annotated[int | None, Field(description="Records between the two.")]
    followed: Annotated[bool, Field(description="Whether a projector is well and near the end.")]


class ProjectionList(BaseModel):
    """Each partition of each log that read models are made from."""

    model_config = ConfigDict(frozen=True)

    items: tuple[PartitionStanding, ...]


class NeedStanding(BaseModel):
    """Something that this process needs."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(examples=["event_log"])]
    status: Literal["ok", "unavailable"]
    last_failed_at: Annotated[datetime | None, Field(description="When it was last seen to be away.")]


class LoopStanding(BaseModel):
    """A loop of this process."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(examples=["denial-tail"])]
    silent_seconds: Annotated[float, Field(description="Since it last said that it lives.")]


class TopicStanding(BaseModel):
    """The read models of one log, as a whole."""

    model_config = ConfigDict(frozen=True)

    topic: str
    behind: Annotated[int | None, Field(description="Records that wait; null while no broker says.")]
    followed: Annotated[bool, Field(description="Whether each of its partitions is followed.")]


class Standing(BaseModel):
    """One word, and what it is made of."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "unavailable"]
    needs: tuple[NeedStanding, ...]
    loops: tuple[LoopStanding, ...]
    projections: tuple[TopicStanding, ...]


@router.get(
    "/v1/projections",
    summary="How far the read models are",
    responses=problems(401, 403, 503),
    openapi_extra=entering("admin"),
)
async def list_projections(request: Request, response: Response) -> ProjectionList:
    """For administrators. Seconds of lag stand on each projector's metrics port."""
    parts, _ = await entered(request, "admin")
    response.headers["Cache-Control"] = "no-store"
    return ProjectionList(items=await _partitions(parts))


@router.get(
    "/v1/health",
    summary="How the installation stands",
    responses=problems(401, 403, 503),
    openapi_extra=entering("admin"),
)
async def read_health(request: Request, response: Response) -> Standing:
    """For administrators: this process, and the read models. Workers tell theirs on their metrics ports."""
    parts, _ = await entered(request, "admin")
    probes = await probes_of(request)
    needs, failed = await probes.checks(), probes.failed()
    partitions = await _partitions(parts) if needs.get("read_store", False) else ()
    response.headers["Cache-Control"] = "no-store"
    well = all(needs.values()) and all(each.followed for each in partitions) and probes.stuck() is None
    return Standing(
        status="ok" if well else "unavailable",
        needs=tuple(
            NeedStanding(name=name, status="ok" if met else "unavailable", last_failed_at=failed.get(name))
            for name, met in needs.items()
        ),
        loops=tuple(
            LoopStanding(name=name, silent_seconds=round(age, 1))
            for name, age in sorted(probes.loops().items())
        ),
        projections=tuple(_whole(topic, partitions) for topic in dict.fromkeys(p.topic for p in partitions)),
    )


def _whole(topic: str, partitions: tuple[PartitionStanding, ...]) -> TopicStanding:
    own = [each for each in partitions if each.topic == topic]
    behind = [each.behind for each in own]
    return TopicStanding(
        topic=topic,
        behind=None if None in behind else sum(count or 0 for count in behind),
        followed=all(each.followed for each in own),
    )


async def _partitions(parts: Parts) -> tuple[PartitionStanding, ...]:
    topics = parts.settings.kafka.topics
    names = (topics.assets, topics.identity, topics.operations)
    each = await asyncio.gather(*(_of_topic(parts, name) for name in names))
    return tuple(one for several in each for one in several)


async def _of_topic(parts: Parts, topic: str) -> list[PartitionStanding]:
    positions, ends = await asyncio.gather(parts.reads.positions(topic), parts.log.ends(topic))
    return [
        PartitionStanding(
            topic=topic,
            partition=partition,
            position=position,
            end=(end := ends.get(partition)),
            behind=None if end is None else max(0, end - position),
            followed=parts.reads.projecting(topic, partition),
        )
        for partition, position in sorted(positions.items())
    ]

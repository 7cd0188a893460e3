"""How the installation stands, for administrators: needs, loops, and how far the read models are."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.programs import ProgramState, asked
from adapters.telemetry.loops import LoopState
from api.access import entered, entering
from api.health import probes_of
from api.openapi import problems
from api.parts import Parts
from projections.reports.queries import LoopReport, age_of

router = APIRouter(tags=["health"])


class PartitionStanding(BaseModel):
    """How far the read models of one partition are."""

    model_config = ConfigDict(frozen=True)

    topic: Annotated[str, Field(examples=["darkroom.assets.v1"])]
    partition: int
    position: Annotated[int, Field(description="The next offset to apply.")]
    end: Annotated[int | None, Field(description="The next offset to be written; null while no broker says.")]
    behind: Annotated[int | None, Field(description="Records between the two.")]
    behind_seconds: Annotated[
        float | None,
        Field(description="Age of the oldest record not applied, 0 at the end; null while nobody says."),
    ]
    followed: Annotated[bool, Field(description="Whether a projector is well and near the end.")]


class ProjectorStanding(BaseModel):
    """One loop of one projector, as it said of itself last; those not heard for an hour are left out."""

    model_config = ConfigDict(frozen=True)

    topic: Annotated[str, Field(examples=["darkroom.assets.v1"])]
    member: Annotated[str, Field(description="Which projector; its name in its consumer groups.")]
    silent_seconds: Annotated[float, Field(description="Since the loop turned last.")]
    partitions: Annotated[tuple[int, ...], Field(description="Those that it holds.")]
    held_since: Annotated[
        datetime | None, Field(description="It takes nothing since then, as too much was set aside.")
    ]
    trouble: Annotated[str | None, Field(description="What keeps it from going on.")]
    trouble_since: datetime | None
    last_error: Annotated[str | None, Field(description="Class and code of the last fault, over or not.")]
    last_error_at: datetime | None


class ProjectionList(BaseModel):
    """Each partition of each log that read models are made from, and the loops that do so."""

    model_config = ConfigDict(frozen=True)

    items: tuple[PartitionStanding, ...]
    loops: tuple[ProjectorStanding, ...]


class NeedStanding(BaseModel):
    """Something that this process needs."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(examples=["event_log"])]
    status: Literal["ok", "unavailable"]
    last_failed_at: Annotated[datetime | None, Field(description="When it was last seen to be away.")]


class TroubleStanding(BaseModel):
    """Something that keeps a loop from going on."""

    model_config = ConfigDict(frozen=True)

    code: Annotated[str, Field(examples=["broker: no answer"])]
    since: Annotated[datetime, Field(description="By the process's own clock.")]


class LoopStanding(BaseModel):
    """A loop of a process."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(examples=["denial-tail"])]
    silent_seconds: Annotated[float, Field(description="Since it last said that it lives.")]
    positions: Annotated[
        dict[str, int] | None,
        Field(description="By partition the next offset; null for a loop that reads no log."),
    ]
    lag_records: Annotated[int | None, Field(description="Records between there and the ends.")]
    lag_seconds: Annotated[float | None, Field(description="Age of the oldest of them, 0 at the end.")]
    troubles: tuple[TroubleStanding, ...]
    last_error: Annotated[str | None, Field(description="Class and code of the last fault, over or not.")]
    last_error_at: datetime | None


class ProgramStanding(BaseModel):
    """A program of this installation, as it answered on its metrics port."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(examples=["variants"])]
    status: Annotated[
        Literal["ok", "unavailable", "silent"], Field(description="silent where it did not answer.")
    ]
    stuck: Annotated[bool, Field(description="Whether one of its loops no longer turns.")]
    loops: tuple[LoopStanding, ...]


class TopicStanding(BaseModel):
    """The read models of one log, as a whole."""

    model_config = ConfigDict(frozen=True)

    topic: str
    behind: Annotated[int | None, Field(description="Records that wait; null while no broker says.")]
    behind_seconds: Annotated[
        float | None, Field(description="Age of the oldest of them, 0 without any; null while nobody says.")
    ]
    followed: Annotated[bool, Field(description="Whether each of its partitions is followed.")]


class Standing(BaseModel):
    """One word, and what it is made of."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "unavailable"]
    needs: tuple[NeedStanding, ...]
    loops: tuple[LoopStanding, ...]
    projections: tuple[TopicStanding, ...]
    projectors: tuple[ProjectorStanding, ...]
    programs: Annotated[
        tuple[ProgramStanding, ...], Field(description="Those that PROGRAM_URLS names, in its order.")
    ]


@router.get(
    "/v1/projections",
    summary="How far the read models are",
    responses=problems(401, 403, 503),
    openapi_extra=entering("admin"),
)
async def list_projections(request: Request, response: Response) -> ProjectionList:
    """For administrators: positions, lag in records and seconds, and what keeps a loop from going on."""
    parts, _ = await entered(request, "admin")
    response.headers["Cache-Control"] = "no-store"
    reports = await parts.reads.loops()
    return ProjectionList(items=await _partitions(parts, reports), loops=_loops(reports))


@router.get(
    "/v1/health",
    summary="How the installation stands",
    responses=problems(401, 403, 503),
    openapi_extra=entering("admin"),
)
async def read_health(request: Request, response: Response) -> Standing:
    """For administrators: this process, the read models, and every program that PROGRAM_URLS names."""
    parts, _ = await entered(request, "admin")
    probes = await probes_of(request)
    needs, failed = await probes.checks(), probes.failed()
    reports = await parts.reads.loops() if needs.get("read_store", False) else []
    partitions = await _partitions(parts, reports) if needs.get("read_store", False) else ()
    programs = await asyncio.to_thread(asked, parts.settings.runtime.programs)
    response.headers["Cache-Control"] = "no-store"
    well = all(needs.values()) and all(each.followed for each in partitions) and probes.stuck() is None
    well = well and all(each.well for each in programs)
    return Standing(
        status="ok" if well else "unavailable",
        needs=tuple(
            NeedStanding(name=name, status="ok" if met else "unavailable", last_failed_at=failed.get(name))
            for name, met in needs.items()
        ),
        loops=tuple(_loop(state) for state in sorted(probes.loops(), key=lambda each: each.name)),
        projections=tuple(_whole(topic, partitions) for topic in dict.fromkeys(p.topic for p in partitions)),
        projectors=_loops(reports),
        programs=tuple(_program(each) for each in programs),
    )


def _loop(state: LoopState) -> LoopStanding:
    places, last = state.positions, state.last_error
    return LoopStanding(
        name=state.name,
        silent_seconds=round(state.silent, 1),
        positions=None if places is None else {str(key): places[key] for key in sorted(places)},
        lag_records=state.lag_records,
        lag_seconds=None if state.lag_seconds is None else round(state.lag_seconds, 1),
        troubles=tuple(TroubleStanding(code=each.code, since=each.since) for each in state.troubles),
        last_error=None if last is None else last.code,
        last_error_at=None if last is None else last.since,
    )


def _program(state: ProgramState) -> ProgramStanding:
    told = state.told
    if told is None:
        return ProgramStanding(name=state.name, status="silent", stuck=False, loops=())
    return ProgramStanding(
        name=state.name,
        status="ok" if state.ready else "unavailable",
        stuck=told.stuck is not None,
        loops=tuple(
            LoopStanding(
                name=each.loop,
                silent_seconds=each.silent_seconds,
                positions=None if each.positions is None else dict(each.positions),
                lag_records=each.lag_records,
                lag_seconds=each.lag_seconds,
                troubles=tuple(TroubleStanding(code=one.code, since=one.since) for one in each.troubles),
                last_error=None if each.last_error is None else each.last_error.code,
                last_error_at=None if each.last_error is None else each.last_error.at,
            )
            for each in told.loops
        ),
    )


def _whole(topic: str, partitions: tuple[PartitionStanding, ...]) -> TopicStanding:
    own = [each for each in partitions if each.topic == topic]
    behind, ages = [each.behind for each in own], [each.behind_seconds for each in own]
    return TopicStanding(
        topic=topic,
        behind=None if None in behind else sum(count or 0 for count in behind),
        behind_seconds=None if None in ages else max((age or 0.0 for age in ages), default=0.0),
        followed=all(each.followed for each in own),
    )


def _loops(reports: Sequence[LoopReport]) -> tuple[ProjectorStanding, ...]:
    return tuple(
        ProjectorStanding(
            topic=each.topic,
            member=each.member,
            silent_seconds=round(each.silent_seconds, 1),
            partitions=tuple(each.partitions),
            held_since=each.held_since,
            trouble=each.trouble,
            trouble_since=each.trouble_since,
            last_error=each.last_error,
            last_error_at=each.last_error_at,
        )
        for each in reports
    )


async def _partitions(parts: Parts, reports: Sequence[LoopReport]) -> tuple[PartitionStanding, ...]:
    topics = parts.settings.kafka.topics
    names = (topics.assets, topics.identity, topics.operations)
    each = await asyncio.gather(*(_of_topic(parts, name, reports) for name in names))
    return tuple(one for several in each for one in several)


async def _of_topic(parts: Parts, topic: str, reports: Sequence[LoopReport]) -> list[PartitionStanding]:
    positions, ends = await asyncio.gather(parts.reads.positions(topic), parts.log.ends(topic))
    return [
        PartitionStanding(
            topic=topic,
            partition=partition,
            position=position,
            end=(end := ends.get(partition)),
            behind=(behind := None if end is None else max(0, end - position)),
            behind_seconds=_age(reports, topic, partition, behind),
            followed=parts.reads.projecting(topic, partition),
        )
        for partition, position in sorted(positions.items())
    ]


def _age(reports: Sequence[LoopReport], topic: str, partition: int, behind: int | None) -> float | None:
    if not behind:
        return None if behind is None else 0.0
    age = age_of(reports, topic, partition)
    return None if age is None else round(age, 1)

"""Puts a projector together from what is outside and a place to run in."""

import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass

from adapters.clock import Clock
from adapters.dead_letters import DeadLetters
from adapters.failpoints import Failpoints
from adapters.sealing import Seals
from adapters.settings import Settings
from adapters.telemetry.of_projector import ProjectorMetrics
from projections.batches import Batches
from projections.checkpoints import Loop, LoopName, live_loop
from projections.database import Database
from projections.ground import Ground
from projections.log_reader import LogReader
from projections.measures import Measures
from projections.outages import Condition, Patience
from projections.plans import plan_of
from projections.projector import Projector
from projections.records import Reading
from projections.redrives import Redrives, Reread
from projections.rereading import read_at
from projections.topic import partitions_of
from schemas.codec import Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a projector needs of the world beside the log and Postgres; `member` is its name in its groups."""

    codec: Codec
    keys: Seals
    letters: DeadLetters
    clock: Clock
    metrics: ProjectorMetrics
    member: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rein:
    """By what a projector is held: it ends once `stop` is set, beats, and says why it is not ready."""

    stop: threading.Event
    beat: Callable[[], None]
    condition: Condition


def compose(settings: Settings, name: LoopName, outside: Outside, rein: Rein, stack: ExitStack) -> Projector:
    """A projector of one log, ready to run; what it opens is closed with `stack`."""
    loop = live_loop(settings.kafka.topics, name)
    plan = plan_of(name, outside.keys)
    patience = Patience(condition=rein.condition, metrics=outside.metrics, stop=rein.stop, beat=rein.beat)
    measures = Measures(outside.metrics, loop.topic)
    database = Database(settings)
    stack.callback(database.drop)
    ground = Ground(loop=loop, kafka=settings.kafka, database=database, patience=patience)
    reader = LogReader(
        settings.kafka.client(),
        loop.topic,
        group=group_of(settings.kafka.topic_prefix, name),
        member=outside.member,
        open_at=ground.open,
        condition=rein.condition,
    )
    stack.enter_context(closing(reader))
    batches = Batches(
        loop,
        plan,
        partitions=partitions_of(settings.kafka, loop.topic),
        database=database,
        letters=outside.letters,
        clock=outside.clock,
        failpoints=Failpoints(settings.runtime.failpoints),
        applied=measures.applied,
    )
    reading = Reading(outside.codec, plan.streams.events)
    return Projector(
        ground=ground,
        reader=reader,
        reading=reading,
        batches=batches,
        redrives=Redrives(
            loop, database=database, reading=reading, batches=batches, reread=_reread(settings, loop)
        ),
        patience=patience,
        measures=measures,
        most=settings.projector.batch,
    )


def _reread(settings: Settings, loop: Loop) -> Reread:
    client, group = settings.kafka.client(), f"{settings.kafka.topic_prefix}.projections-again"
    return lambda partition, offsets: read_at(client, loop.topic, partition, offsets, group=group)


def group_of(prefix: str, name: LoopName) -> str:
    """The consumer group of a loop; the asset log's had it to itself at first, and keeps its name."""
    return f"{prefix}.projections" if name == "assets" else f"{prefix}.projections-{name}"

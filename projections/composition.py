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
from projections.assets.clear import ClearText
from projections.batches import Batches
from projections.checkpoints import live_loop
from projections.database import Database
from projections.ground import Ground
from projections.log_reader import LogReader
from projections.measures import Measures
from projections.membership import Membership
from projections.outages import Condition, Patience
from projections.projector import Projector
from projections.records import Reading
from schemas.codec import Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a projector needs of the world beside the log and Postgres."""

    codec: Codec
    keys: Seals
    letters: DeadLetters
    clock: Clock
    metrics: ProjectorMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Rein:
    """By what a projector is held: it ends once `stop` is set, beats, and says why it is not ready."""

    stop: threading.Event
    beat: Callable[[], None]
    condition: Condition


def compose(settings: Settings, outside: Outside, rein: Rein, stack: ExitStack) -> Projector:
    """A projector of the asset log, ready to run; what it opens is closed with `stack`."""
    loop = live_loop(settings.kafka.topics.assets)
    patience = Patience(condition=rein.condition, metrics=outside.metrics, stop=rein.stop, beat=rein.beat)
    measures = Measures(outside.metrics, loop.topic)
    database = Database(settings)
    stack.callback(database.drop)
    ground = Ground(loop=loop, kafka=settings.kafka, database=database, patience=patience)
    member = stack.enter_context(closing(Membership(settings.runtime.state_dir)))
    reader = LogReader(
        settings.kafka.client(),
        loop.topic,
        group=f"{settings.kafka.topic_prefix}.projections",
        member=member.name,
        open_at=ground.open,
        condition=rein.condition,
    )
    stack.enter_context(closing(reader))
    batches = Batches(
        loop,
        partitions=settings.kafka.partitions,
        database=database,
        clear=ClearText(outside.keys),
        letters=outside.letters,
        clock=outside.clock,
        failpoints=Failpoints(settings.runtime.failpoints),
        applied=measures.applied,
    )
    return Projector(
        ground=ground,
        reader=reader,
        reading=Reading(outside.codec),
        batches=batches,
        patience=patience,
        measures=measures,
        most=settings.projector.batch,
    )

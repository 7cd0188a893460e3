"""Puts a projector together from what is outside and a place to run in."""

import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Final

import structlog

from adapters.clock import Clock
from adapters.dead_letters import DeadLetters
from adapters.failpoints import Failpoints
from adapters.sealing import Seals
from adapters.settings import Settings
from adapters.telemetry import loops
from adapters.telemetry.of_projector import ProjectorMetrics
from projections.aside_limit import AsideLimit
from projections.batches import Batches
from projections.behind import Behind, Standing
from projections.beside.finding import loop_now
from projections.beside.following import Applies, Following, Silent, to_follow
from projections.checkpoints import Loop, LoopName, live_loop
from projections.database import Database
from projections.ground import Ground
from projections.log_reader import LogReader
from projections.measures import Measures
from projections.outages import Patience
from projections.plans import plan_of
from projections.projector import Projector
from projections.records import Reading
from projections.redrives import Redrives, Reread
from projections.reports.reporter import Spoken
from projections.rereading import read_at
from projections.topic import partitions_of
from schemas.codec import Codec

_log: Final = structlog.get_logger(__name__)


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
    """By what a projector is held: it ends once `stop` is set, and shows by `loop` how it is."""

    stop: threading.Event
    loop: loops.Loop


def compose(
    settings: Settings, name: LoopName, outside: Outside, rein: Rein, stack: ExitStack
) -> tuple[Projector, Spoken]:
    """A projector of one log, ready to run, and what tells of it; what it opens is closed with `stack`.

    Raises FoldIsServed, Stopping.
    """
    patience = Patience(metrics=outside.metrics, stop=rein.stop, loop=rein.loop)
    database = Database(settings)
    stack.callback(database.drop)
    loop = _loop_now(settings, name, database, patience)
    plan = plan_of(name, outside.keys).only(model.name for model in loop.models)
    ground = Ground(loop=loop, kafka=settings.kafka, database=database, patience=patience)
    reader = _reader(settings, loop, outside, rein, ground)
    stack.enter_context(closing(reader))
    patience.turning(reader.look)
    spoken = _spoken(loop, rein, reader)
    measures = Measures(outside.metrics, loop.topic, age=spoken.behind.seconds, held=spoken.limit.held)
    batches = Batches(
        loop,
        plan,
        partitions=partitions_of(settings.kafka, loop.topic),
        database=database,
        letters=Silent() if loop.beside else outside.letters,
        clock=outside.clock,
        failpoints=Failpoints(settings.runtime.failpoints),
        limit=spoken.limit,
        applied=measures.applied,
    )
    reading = Reading(outside.codec, plan.streams.events)
    return Projector(
        ground=ground,
        reader=reader,
        reading=reading,
        batches=_behind(batches, loop, database, rein) if loop.beside else batches,
        redrives=Redrives(
            loop, database=database, reading=reading, batches=batches, reread=_reread(settings, loop)
        ),
        patience=patience,
        measures=measures,
        behind=spoken.behind,
        limit=spoken.limit,
        most=settings.projector.batch,
    ), spoken


def _loop_now(settings: Settings, name: LoopName, database: Database, patience: Patience) -> Loop:
    whole = live_loop(settings.kafka.topics, name)
    return patience.until_done("read models", lambda: loop_now(database.connection(), whole))


def _behind(batches: Applies, loop: Loop, database: Database, rein: Rein) -> Applies:
    def pause(seconds: float) -> None:
        rein.loop.beat()
        rein.stop.wait(seconds)

    _log.info("forms.beside", topic=loop.topic, forms=[model.schema for model in loop.models])
    return Following(batches, served=lambda: to_follow(database.connection(), loop), pause=pause)


def _reader(settings: Settings, loop: Loop, outside: Outside, rein: Rein, ground: Ground) -> LogReader:
    return LogReader(
        settings.kafka.client(),
        loop.topic,
        group=_group(settings, loop),
        member=outside.member,
        open_at=ground.open,
        condition=rein.loop.condition,
    )


def _spoken(loop: Loop, rein: Rein, reader: LogReader) -> Spoken:
    behind = Behind(reader.lags)
    rein.loop.reads(Standing(reader, behind))
    return Spoken(
        topic=loop.topic,
        condition=rein.loop.condition,
        behind=behind,
        limit=AsideLimit(),
        partitions=lambda: sorted(reader.positions),
    )


def _reread(settings: Settings, loop: Loop) -> Reread:
    client, group = settings.kafka.client(), f"{settings.kafka.topic_prefix}.projections-again"
    return lambda partition, offsets: read_at(client, loop.topic, partition, offsets, group=group)


def _group(settings: Settings, loop: Loop) -> str:
    """Forms beside have a group of their own: its members share the whole log among them."""
    group = group_of(settings.kafka.topic_prefix, loop.name)
    return f"{group}-beside-{loop.fold.version}" if loop.beside else group


def group_of(prefix: str, name: LoopName) -> str:
    """The consumer group of a loop; the asset log's had it to itself at first, and keeps its name."""
    return f"{prefix}.projections" if name == "assets" else f"{prefix}.projections-{name}"

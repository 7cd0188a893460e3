"""What every worker process does alike: it beats, and is a member of its group as the settings say."""

import asyncio
from collections.abc import Callable
from typing import Final

from adapters.settings import Settings
from adapters.telemetry import Loop
from adapters.telemetry.of_worker import WorkerMetrics
from processors.dead_letter_limit import DeadLetterLimit
from processors.faust_app.app import AppConfig
from processors.faust_app.brokers import broker_list, credentials
from processors.faust_app.member import GroupMember, Takes
from processors.look_ahead import KafkaLookAhead
from processors.outages import Waits

_BEAT_SECONDS: Final = 1.0


def instance_id(settings: Settings, group: str) -> str:
    """The static name of this worker in its group."""
    return f"{group}-{settings.worker.slot}"


def member_of(
    settings: Settings,
    group: str,
    *,
    reactor: Takes,
    look_ahead: KafkaLookAhead,
    metrics: WorkerMetrics,
    leave: Callable[[str], object],
    waits: Waits,
    in_hand: int = 1,
) -> GroupMember:
    """The group's member for the assets' topic; it joins when started.

    `leave` as GroupMember says; `in_hand` is how many records of each partition are taken side by side.
    """
    config = AppConfig(
        brokers=broker_list(settings.kafka),
        credentials=credentials(settings.kafka),
        group=group,
        instance_id=instance_id(settings, group),
        topic=settings.kafka.topics.assets,
        session=settings.worker.session.total_seconds(),
        idle_limit=settings.worker.idle_limit.total_seconds(),
        folder=settings.runtime.state_dir / "faust",
        in_hand=in_hand,
    )
    return GroupMember(
        config,
        settings.kafka,
        reactor=reactor,
        look_ahead=look_ahead,
        metrics=metrics,
        leave=leave,
        waits=waits,
    )


def show_stops(limit: DeadLetterLimit, metrics: WorkerMetrics) -> None:
    """From now on the metrics tell whether it takes no work for too many dead letters."""
    metrics.dead_letter_stop.of().set_function(lambda: float(limit.trouble() is not None))


async def beating(loop: Loop) -> None:
    """Beats for as long as the event loop turns."""
    while True:
        loop.beat()
        await asyncio.sleep(_BEAT_SECONDS)

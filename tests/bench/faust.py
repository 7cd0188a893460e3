"""`faust`: records a second through the reactor with work that does nothing, beside bare loops."""

import asyncio
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import uuid4

import typer

from adapters.event_log import AppendFailed, KafkaEventLog
from adapters.settings import Settings
from adapters.telemetry import Metrics
from adapters.topics import TopicAdmin, specs_of
from ops.stack.products import inherited
from schemas.codec import Codec
from schemas.events import UploadCompleted, UploadRequested
from tests.bench import machine, rounds
from tests.bench.ground import metadata, world
from tests.bench.partners import Partner
from tests.bench.results import JsonFile, Results, Rounds, progress, show
from tests.contract.ground import upload_requested
from tests.servers import World
from tests.unit.processors.worlds import World as InMemory

_AT_ONCE: Final = 100
_PATIENCE_SECONDS: Final = 60.0
# Against whom each of ours is measured: who does the same, or as much of it as there is.
_BESIDE: Final[Mapping[str, Sequence[str]]] = {
    "reactor": ("agent that says", "agent", "aiokafka"),
    "reactor, passing": ("agent", "aiokafka"),
}
_SAYING: Final = ("reactor", "agent that says")
_NAMES: Final = (*_SAYING, "reactor, passing", "agent", "aiokafka")

Records = Annotated[int, typer.Option(min=100, help="Records of each turn.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One contender's turn: records a second, and microseconds of its processor for each."""

    rate: float
    cpu_us: float


Measured = Mapping[str, Sequence[Turn]]


def command(records: Records = 5000, count: Rounds = 5, json_file: JsonFile = None) -> None:
    """Records a second through the reactor with no-op work, beside a bare Faust agent and bare aiokafka."""
    with world() as ground:
        measured = asyncio.run(_measure(ground, records, count))
    show(results(measured, records), json_file)


async def _measure(ground: World, records: int, count: int) -> Measured:
    """Whoever appends has a log of its own, in which only requests stand; the others read one together."""
    shared = await _filled(ground, records, requests=False)
    measured: dict[str, list[Turn]] = {name: [] for name in _NAMES}
    with progress() as bar:
        plan = list(rounds.schedule(_NAMES, ("records",), count))
        for number, _, name in bar.track(plan, description="rounds"):
            settings = await _filled(ground, records, requests=True) if name in _SAYING else shared
            turn = await asyncio.to_thread(_turn, ground, settings, name, records)
            if number >= 0:
                measured[name].append(turn)
    return measured


async def _filled(ground: World, records: int, *, requests: bool) -> Settings:
    """Topics of their own with so many completed uploads, or so many records that ask for nothing."""
    settings = ground.settings("faust", TOPIC_PREFIX=f"faust{uuid4().hex[:10]}")
    await asyncio.to_thread(TopicAdmin(settings.kafka).create, specs_of(settings.kafka))
    uploads = InMemory()
    log = KafkaEventLog(settings.kafka, Codec.local(), metrics=Metrics().log)
    for at in range(0, records, _AT_ONCE):
        count = min(_AT_ONCE, records - at)
        events: list[UploadCompleted | UploadRequested] = [
            await uploads.request(stored=False) if requests else upload_requested() for _ in range(count)
        ]
        await asyncio.gather(*(_append(log, event) for event in events))
    await log.close()
    return settings


async def _append(log: KafkaEventLog, event: UploadCompleted | UploadRequested) -> None:
    """Tries again for a while: the topics have only just been made, and nobody measures this."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            try:
                await log.append(event, metadata(event.asset_id))
            except AppendFailed:
                await asyncio.sleep(0.5)
            else:
                return


def _turn(ground: World, settings: Settings, name: str, records: int) -> Turn:
    own = {
        "TOPIC_PREFIX": settings.kafka.topic_prefix,
        "STATE_DIR": str(ground.folder / f"{name}-{uuid4().hex}"),
        "METRICS_PORT": "0",
    }
    command = [sys.executable, "-m", "tests.bench.faust_worker", name, str(records)]
    with Partner(name, command, env={**inherited(), **ground.env, **own}) as partner:
        took = partner.answer()
    return Turn(rate=records / took["seconds"], cpu_us=1e6 * took["cpu"] / records)


def results(measured: Measured, records: int) -> Results:
    """The table, the ratios and the file of a finished run."""
    ratios = {name: {peer: _ratio(measured, name, peer) for peer in peers} for name, peers in _BESIDE.items()}
    return Results(
        title=f"faust: {records:,} records of the asset log, one process, work that does nothing",
        headings=("by", "records/s", "CPU µs a record"),
        rows=[_row(name, turns) for name, turns in measured.items()],
        lines=(
            "reactor: each record asks for a job, of which two events are said, as by `agent that says`.",
            "reactor, passing: records that ask for nothing.",
            *(
                f"{name}: {', '.join(f'{ratio:.2f} × {peer}' for peer, ratio in of.items())}"
                for name, of in ratios.items()
            ),
        ),
        data={
            "benchmark": "faust",
            "machine": machine.facts(("faust-streaming", "aiokafka", "confluent-kafka")),
            "records": records,
            "ratios": ratios,
            "records_per_second": {name: [turn.rate for turn in of] for name, of in measured.items()},
            "cpu_us_a_record": {name: [turn.cpu_us for turn in of] for name, of in measured.items()},
        },
    )


def _ratio(measured: Measured, ours: str, peer: str) -> float:
    return rounds.paired([turn.rate for turn in measured[ours]], [turn.rate for turn in measured[peer]])


def _row(name: str, turns: Sequence[Turn]) -> tuple[str, ...]:
    rate = statistics.median(turn.rate for turn in turns)
    return (name, f"{rate:,.0f}", f"{statistics.median(turn.cpu_us for turn in turns):.0f}")

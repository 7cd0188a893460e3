"""Fills copies, or forms beside those that are served, in several processes, a partition at a time each."""

import multiprocessing
import os
import queue
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.context import SpawnProcess
from typing import Any, Final

import psycopg
from confluent_kafka import KafkaException
from psycopg import Connection

from adapters.schema_registry import RegistryError, load_codec
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys, KeyTrouble
from ops.private_files import passing_folder
from ops.read_models_rate import shown
from ops.waiting import quiet_logs
from projections.beside import filling
from projections.beside.finding import loop_now
from projections.beside.following import FailsBeside
from projections.checkpoints import Fenced, FormsChanged, Loop, LoopName, live_loop
from projections.collecting import collect_seldom
from projections.log_reader import OffsetOutOfRange
from projections.rebuild import copies
from projections.rebuild.filling import AlreadyFollows, FoldFailed, Tools, Unsettled, connect, fill
from projections.rebuild.span import Span

_LOOK_SECONDS: Final = 1.0
_CURRENT_SECONDS: Final = 60.0
_ENDING_SECONDS: Final = 10.0

_REFUSALS: Final = (
    copies.CopyRefused,
    FailsBeside,
    Fenced,
    FormsChanged,
    FoldFailed,
    Unsettled,
    OffsetOutOfRange,
)
_OUTAGES: Final = (KafkaException, KeyTrouble, RegistryError, psycopg.Error)


class RebuildStopped(Exception):
    """A rebuild ended early; the text says why. What is filled stays, the live rows are untouched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one process fills at a time: of copies these, or without names the forms that stand beside."""

    partition: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a process tells: records filled in since it last said so, that a part is done, or why it ended."""

    records: int = 0
    done: Part | None = None
    failed: str | None = None


def parts_of(there: Mapping[str, copies.Copy], names: Sequence[str], partitions: int) -> list[Part]:
    """What of these copies is still to be filled."""
    found = []
    for partition in range(partitions):
        missing = tuple(name for name in names if partition not in there[name].filled)
        if missing:
            found.append(Part(partition=partition, names=missing))
    return found


@contextmanager
def held(conn: Connection[Any], loop: Loop, names: Sequence[str]) -> Iterator[None]:
    """Nobody else rebuilds these meanwhile; raises CopyRefused where somebody does."""
    for name in names:
        if not copies.held(conn, loop, name, for_long=True):
            raise copies.CopyRefused(f"a rebuild of {name} is at work already")
    yield
    conn.execute("select pg_advisory_unlock_all()")


def fill_shown(
    settings: Settings, loop: Loop, parts: Sequence[Part], workers: int, *, total: int, quiet: bool
) -> int:
    """Fills the parts and shows how it goes; returns how many records went in. Raises RebuildStopped."""
    filled = 0
    with shown(loop.topic, total, quiet=quiet or not parts) as show:

        def told(said: Said) -> None:
            nonlocal filled
            filled += said.records
            show(filled)

        if parts:
            fill_all(settings, loop.name, parts, workers, told)
    return filled


def fill_all(
    settings: Settings, loop: LoopName, parts: Sequence[Part], workers: int, told: Callable[[Said], None]
) -> None:
    """Fills the parts with so many processes; `told` hears of each step. Raises RebuildStopped."""
    context = multiprocessing.get_context("spawn")
    work: Any = context.Queue()
    said: Any = context.Queue()
    for part in parts:
        work.put(part)
    count = min(workers, len(parts))
    for _ in range(count):
        work.put(None)
    running = [context.Process(target=_work, args=(settings, loop, work, said)) for _ in range(count)]
    try:
        for process in running:
            process.start()
        _follow(running, len(parts), said, told)
        for process in running:  # nothing is left to do; they take their folders with them
            process.join(_ENDING_SECONDS)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.join(_ENDING_SECONDS)


def _follow(running: Sequence[SpawnProcess], parts: int, said: Any, told: Callable[[Said], None]) -> None:  # noqa: ANN401 - a queue
    left = parts
    while left:
        try:
            heard: Said = said.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if not any(process.is_alive() for process in running):
                codes = [process.exitcode for process in running]
                raise RebuildStopped(f"the processes that fill ended with {codes}") from None
            continue
        told(heard)
        if heard.failed is not None:
            raise RebuildStopped(heard.failed)
        left -= heard.done is not None


def _work(settings: Settings, loop: LoopName, work: Any, said: Any) -> None:  # noqa: ANN401 - queues
    """One process: takes parts until there are no more, or its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    quiet_logs()
    parent = os.getppid()

    def progress(records: int) -> None:
        if os.getppid() != parent:
            os._exit(1)  # nobody listens; the partition's transaction ends with us
        said.put(Said(records=records))

    try:
        with ExitStack() as stack:
            open_to = _opened(settings, loop, stack)
            while (part := work.get()) is not None:
                _fill(settings, *open_to, part, progress)
                said.put(Said(done=part))
    except _REFUSALS as refusal:
        said.put(Said(failed=str(refusal)))
    except _OUTAGES as outage:
        said.put(Said(failed=f"{type(outage).__name__}: {str(outage).strip()}"))


def _opened(settings: Settings, name: LoopName, stack: ExitStack) -> tuple[Connection[Any], Tools]:
    folder = stack.enter_context(passing_folder("darkroom-rebuild-"))
    apart = replace(settings, runtime=settings.runtime.model_copy(update={"state_dir": folder}))
    codec = load_codec(apart)
    keys = stack.enter_context(closing(KafkaSubjectKeys(apart, codec, None, component="rebuild")))
    keys.start()
    if not keys.wait_until_current(_CURRENT_SECONDS):
        raise copies.CopyRefused("the key topic could not be read to its end")
    conn = stack.enter_context(closing(connect(settings)))
    collect_seldom()
    return conn, Tools.of(settings, loop_now(conn, live_loop(settings.kafka.topics, name)), codec, keys)


def _fill(
    settings: Settings, conn: Connection[Any], tools: Tools, part: Part, progress: Callable[[int], None]
) -> None:
    group = f"{settings.kafka.topic_prefix}.rebuild"
    with ExitStack() as stack:

        def source(begin: int) -> Span:
            span = Span(settings.kafka.client(), tools.loop.topic, part.partition, group=group, begin=begin)
            return stack.enter_context(closing(span))

        if tools.loop.beside:
            filling.fill(conn, tools, source, part.partition, progress)
        else:
            with suppress(AlreadyFollows):  # what a process that lost its parent still brought to its end
                fill(conn, tools, part.names, source(0), part.partition, progress)

"""`python -m projections [LOOP …]`: keeps read models up to date until it is told to stop."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from types import FrameType

import structlog

from adapters.clock import SystemClock
from adapters.dead_letters import KafkaDeadLetters
from adapters.operations import KafkaPresetSets
from adapters.schema_registry import ContractMismatch, RegistryUnavailable, load_codec
from adapters.settings import Settings, SettingsError, settings_or_exit
from adapters.subject_keys import KafkaSubjectKeys, SubjectKeys
from adapters.telemetry import Loops, Metrics, configure_logs, serve_metrics
from adapters.topics import TopicDrift, require_topics
from projections.aside_limit import AsideLimit
from projections.beside.finding import FoldIsServed
from projections.beside.following import FailsBeside
from projections.checkpoints import LOOPS, Diverged, FormsChanged, LoopName, TopicReplaced
from projections.collecting import collect_seldom
from projections.composition import Outside, Rein, compose
from projections.log_reader import Expelled, OffsetOutOfRange
from projections.loops import run_all
from projections.membership import Membership
from projections.outages import Stopping
from projections.reports.reporter import Reporter, Spoken
from projections.topic import WrongPartitions
from schemas.codec import Codec
from schemas.events import Event

_COMPONENT = "projector"
_REFUSALS = (
    ContractMismatch,
    Diverged,
    Expelled,
    FailsBeside,
    FoldIsServed,
    OffsetOutOfRange,
    SettingsError,
    TopicDrift,
    TopicReplaced,
    WrongPartitions,
)

log = structlog.get_logger(__name__)


class Ending:
    """What the first signal does: ends the loop between two batches, or at once what comes before it."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.looping = False
        self._told = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    @property
    def ended(self) -> bool:
        """Whether it is over for good."""
        return self.stop.is_set()

    def begin_anew(self) -> None:
        """What a loop ended without a signal goes on."""
        self.looping = False
        if not self._told:
            self.stop.clear()
        if self._told:  # also when the signal came in between
            self.stop.set()

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self._told = True
        self.stop.set()
        signal.signal(number, signal.SIG_DFL)  # who asks twice does not want to wait
        if not self.looping:
            raise Stopping


def main(words: Sequence[str] = ()) -> int:
    """Runs the loops that are named, or all; 0 after a signal, 1 with a sentence when one can't go on.

    Raises SystemExit after `--help`, and for the name of no loop.
    """
    parser = argparse.ArgumentParser(
        prog="python -m projections", description="Keeps read models up to date until it is told to stop."
    )
    parser.add_argument("loops", nargs="*", metavar="LOOP", help=f"{', '.join(LOOPS)} (default: all)")
    named = parser.parse_args(words).loops
    if strange := [name for name in named if name not in LOOPS]:
        parser.error(f"there is no loop {strange[0]}; there are {', '.join(LOOPS)}")
    chosen = [name for name in LOOPS if not named or name in named]
    settings = settings_or_exit()
    configure_logs(_COMPONENT, settings)
    ending = Ending()
    try:
        while not ending.ended:
            with ExitStack() as stack:
                _run_as_it_stands(settings, chosen, ending, stack)
    except (Stopping, RegistryUnavailable):  # the latter says so too once it is told to stop
        log.info("projector.stopped", early=True)
    except _REFUSALS as refusal:
        log.critical("projector.cannot_go_on", kind=type(refusal).__name__, reason=str(refusal))
        print(refusal, file=sys.stderr)
        return 1
    else:
        log.info("projector.stopped")
    return 0


def _run_as_it_stands(
    settings: Settings, chosen: Sequence[LoopName], ending: Ending, stack: ExitStack
) -> None:
    """Returns when it was told to stop, or when other forms are served than at its beginning."""
    try:
        _run(settings, chosen, ending, stack)
    except FormsChanged as changed:
        log.warning("projector.begins_anew", reason=str(changed))
        ending.begin_anew()


def _run(settings: Settings, chosen: Sequence[LoopName], ending: Ending, stack: ExitStack) -> None:
    metrics = Metrics()
    loops = Loops(_COMPONENT, settings.runtime.heartbeat_limit, metrics.loops)
    loops.condition.trouble("start", "starting")
    told: list[tuple[Spoken, Callable[[], float]]] = []
    server = serve_metrics(settings, metrics, loops=loops, ready=loops.condition.reason)
    stack.enter_context(closing(server))
    outside = _outside(settings, ending, metrics, loops, stack)
    projectors = {}
    for name in chosen:
        loop = loops.expect(name)
        projectors[name], spoken = compose(settings, name, outside, Rein(stop=ending.stop, loop=loop), stack)
        told.append((spoken, loop.silent))
    stack.enter_context(closing(Reporter(settings, told, member=outside.member)))
    _listen(settings, outside.codec, [spoken.limit for spoken, _ in told], loops, stack)
    loops.condition.well("start")
    collect_seldom()
    ending.looping = True
    log.info("projector.started", metrics_port=server.port, loops=chosen)
    run_all({name: projector.run for name, projector in projectors.items()}, ending.stop)


def _listen(
    settings: Settings,
    codec: Codec,
    limits: Sequence[AsideLimit],
    loops: Loops,
    stack: ExitStack,
) -> None:
    """Hears operators who say that it may go on."""

    def heard(event: Event) -> None:
        for limit in limits:
            limit.hear(event)

    loop = loops.expect("operators")
    operations = KafkaPresetSets(settings.kafka, codec, component=_COMPONENT, loop=loop, heard=heard)
    stack.enter_context(closing(operations))
    operations.start()


def _outside(
    settings: Settings,
    ending: Ending,
    metrics: Metrics,
    loops: Loops,
    stack: ExitStack,
) -> Outside:
    loops.condition.trouble("start", "waiting for the broker and its topics")
    require_topics(settings, stop=ending.stop)
    loops.condition.trouble("start", "waiting for the schema registry")
    codec = load_codec(settings, stop=ending.stop)
    loops.condition.trouble("start", "reading the key topic to its end")
    loop = loops.expect("subject-keys")
    keys = KafkaSubjectKeys(settings, codec, None, component=_COMPONENT, loop=loop)
    stack.enter_context(closing(keys))
    keys.start()
    _until_current(keys)
    letters = stack.enter_context(closing(KafkaDeadLetters(settings.kafka, metrics=metrics.log)))
    member = stack.enter_context(closing(Membership(settings.runtime.state_dir)))
    return Outside(
        codec=codec,
        keys=keys,
        letters=letters,
        clock=SystemClock(),
        metrics=metrics.projector,
        member=member.name,
    )


def _until_current(keys: SubjectKeys) -> None:
    """Before that, each unknown key would look like an outage."""
    while not keys.wait_until_current(5.0):
        log.warning("keys.not_current")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

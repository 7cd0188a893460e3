"""Patience on the command line: what can't be reached is waited for, and said to be."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final, NoReturn, TypeVar

import structlog
import typer
from structlog.typing import EventDict

T = TypeVar("T")

UNREACHABLE: Final = 1
MISTAKEN: Final = 2
WRONG: Final = 3
"""Exit codes: 0 as it should be, 1 not reached, 2 a mistake in the command, 3 reached and wrong."""

_PAUSE_SECONDS = 0.5

Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for what can't be reached.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def patiently(ask: Callable[[], T], silence: type[Exception], *, what: str, seconds: float) -> T:
    """What `ask` gives; asked again while it raises `silence`, for so many seconds, then exit 1."""
    deadline = time.monotonic() + seconds
    told = False
    while True:
        try:
            return ask()
        except silence as error:
            if time.monotonic() >= deadline:
                leave(f"{what[0].upper()}{what[1:]} can't be reached: {first_line(error)}.", code=UNREACHABLE)
            if not told:
                typer.echo(f"Waiting for {what} …", err=True)
                told = True
            time.sleep(_PAUSE_SECONDS)


def first_line(error: Exception) -> str:
    """What happened; libpq goes on with questions to the reader."""
    return str(error).partition("\n")[0]


def leave(*sentences: str, code: int) -> NoReturn:
    """Says why on stderr and ends the command."""
    for sentence in sentences:
        typer.echo(sentence, err=True)
    raise typer.Exit(code)


@contextmanager
def stop_after(seconds: float) -> Iterator[threading.Event]:
    """An event that is set when so many seconds are over, for those who wait until they are told to stop."""
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.daemon = True
    timer.start()
    try:
        yield stop
    finally:
        timer.cancel()


_AWAITED: Final = {"brokers_unreachable": "Kafka", "schema_registry_unavailable": "the schema registry"}


class _WaitsInWords:
    """Says once what a command waits for, where a process would log it every second."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        name = event["event"]
        if (what := _AWAITED.get(name)) is None:
            return event
        if name not in self._told:
            self._told.add(name)
            typer.echo(f"Waiting for {what} …", err=True)
        raise structlog.DropEvent


def quiet_logs() -> None:
    """What libraries of ours log goes to stderr, warnings and worse alone: stdout is the command's answer."""
    rest = [each for each in structlog.get_config()["processors"] if not isinstance(each, _WaitsInWords)]
    structlog.configure(
        processors=[_WaitsInWords(), *rest],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        # Asked for with each line: stderr may be another by then.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )

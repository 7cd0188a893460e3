"""Looks at programs while they run, again and again: each start of each begins a series of its own."""

import contextlib
import threading
import time
from collections.abc import Mapping
from typing import Final, Protocol, Self

import psutil

from tests.rig.vitals import Series, Vitals

EVERY_SECONDS: Final = 2.0


class Running(Protocol):
    """Programs of one kind, as a fleet has them."""

    def pids(self) -> Mapping[int, int]:
        """The process ids of those that run, by number."""
        ...


class Sampler:
    """Samples every program of these fleets inside its block; `series` has what was seen, by name and start.

    Descriptors, threads and connections are the program's own and those of its children.
    """

    def __init__(self, fleets: Mapping[str, Running], *, database_port: int) -> None:
        self._fleets = fleets
        self._database_port = database_port
        self._series: dict[tuple[str, int], Series] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._began = time.monotonic()

    @property
    def series(self) -> list[Series]:
        """All of them, those of one program in the order of its starts."""
        return [each for _, each in sorted(self._series.items(), key=lambda item: item[0][0])]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def look(self) -> None:
        """Samples each program that runs now."""
        for name, fleet in self._fleets.items():
            for number, pid in fleet.pids().items():
                program = f"{name} {number}"
                try:
                    vitals = self._vitals(psutil.Process(pid))
                except psutil.Error:
                    continue  # it has just gone
                self._of(program, pid).samples.append(vitals)

    def _of(self, program: str, pid: int) -> Series:
        if (program, pid) not in self._series:
            starts = sum(1 for known, _ in self._series if known == program)
            self._series[program, pid] = Series(f"{program}, start {starts + 1}")
        return self._series[program, pid]

    def _vitals(self, program: psutil.Process) -> Vitals:
        """Raises psutil.Error where the program is gone; a child that goes meanwhile is left out."""
        told = [self._one(program)]
        for child in program.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                told.append(self._one(child))
        family, fds, threads, connections = map(sum, zip(*told, strict=True))
        return Vitals(
            at=time.monotonic() - self._began,
            rss=told[0][0],
            family=family,
            fds=fds,
            threads=threads,
            connections=connections,
        )

    def _one(self, process: psutil.Process) -> tuple[int, int, int, int]:
        with process.oneshot():
            connections = sum(
                bool(each.raddr) and each.raddr.port == self._database_port
                for each in process.net_connections(kind="tcp")
            )
            return process.memory_info().rss, process.num_fds(), process.num_threads(), connections

    def _run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            self.look()

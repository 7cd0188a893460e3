"""Ends what a run left behind: after a kill -9 of the supervisor, and as the last look of an orderly stop."""

import os
from contextlib import suppress

import psutil

from ops.stack.launch import MARK, end_group
from ops.stack.record import Record, lives

PATIENCE = 5.0
"""Seconds that a killed process may take to vanish."""


def end_remains(mark: str) -> list[str]:
    """Kill every process that carries the run's mark; returns their pids."""
    found = marked(mark)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=PATIENCE)
    return [str(process.pid) for process in found]


def end_crashed_run(record: Record) -> list[str]:
    """End what is left of a run whose supervisor is gone; returns which programs still ran."""
    living = [entry for entry in record.entries if lives(entry.pid, entry.born)]
    for pid in (entry.pid for entry in living if entry.pid):
        end_group(pid)
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            psutil.Process(pid).wait(PATIENCE)
    end_remains(record.mark)
    return [entry.name for entry in living]


def marked(mark: str) -> list[psutil.Process]:
    """Living processes, other than this one, that were started with the mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process)
    return found

"""`down`: ends a running stack, or what is left of one that was killed."""

import os
import signal
import time

from ops.stack.console import Terminal
from ops.stack.folder import Folder
from ops.stack.record import is_held, lives, only_one, read_record
from ops.stack.remains import end_crashed_run

PATIENCE = 20.0
"""Seconds; the supervisor itself takes 15 at most."""


def down(folder: Folder, terminal: Terminal) -> None:
    """End everything of this folder; nothing running is fine too."""
    record = read_record(folder.record)
    if record is None:
        terminal.line("Nothing runs here.")
        return
    if is_held(folder.lock) and lives(record.pid, record.born):
        os.kill(record.pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while lives(record.pid, record.born):
            if time.monotonic() > deadline:
                os.kill(record.pid, signal.SIGKILL)
                break
            time.sleep(0.1)
    while is_held(folder.lock):  # the kernel lets go of it a moment after the process
        time.sleep(0.05)
    with only_one(folder.lock):
        end_crashed_run(read_record(folder.record) or record)
        folder.record.unlink(missing_ok=True)
    terminal.line("Stopped.")

"""One process a slot: two under one name would throw each other out of the consumer group for ever."""

import fcntl
import os
from pathlib import Path
from typing import IO


class SlotTaken(Exception):
    """Another worker on this machine holds the slot."""

    def __init__(self, slot: int, holder: str) -> None:
        super().__init__(
            f"slot {slot} is taken by process {holder}; give this worker a WORKER_SLOT of its own"
        )


class Slot:
    """A slot held from `hold_slot` until `release` or the end of the process, however it ends."""

    def __init__(self, number: int, file: IO[str]) -> None:
        self.number = number
        self._file = file

    def release(self) -> None:
        """Lets another process have it."""
        self._file.close()


def hold_slot(folder: Path, group: str, number: int) -> Slot:
    """Takes the slot of this group; raises SlotTaken. The lock file stays, only its lock matters."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / f"{group}.slot-{number}.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read(20).strip() or "unknown"
        file.close()
        raise SlotTaken(number, holder) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return Slot(number, file)

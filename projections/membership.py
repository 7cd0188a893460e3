"""The name under which this projector is known to its consumer group, kept over restarts."""

import fcntl
import os
from pathlib import Path
from uuid import uuid4


class Membership:
    """A static member's name: whoever comes back under it takes its partitions up at once.

    Without one, partitions of a projector that was killed lie idle until its session runs out. The name is
    locked, so that two projectors in one folder never throw each other out: the second goes without.
    """

    def __init__(self, folder: Path) -> None:
        """Takes the name that `folder` holds, or makes one; raises OSError where it can't be written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / "projector-member", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.name = self._take()

    def _take(self) -> str | None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        if name := os.read(self._file, 100).decode(errors="replace").strip():
            return name
        name = f"projector-{uuid4()}"
        os.write(self._file, name.encode())
        return name

    def close(self) -> None:
        """Frees the name for whoever comes next."""
        os.close(self._file)

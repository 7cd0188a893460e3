"""Run as a program by a test: supervises three sleepers until it is killed."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ops.stack.programs import Kind, Program
from ops.stack.record import Record, born, write_record
from ops.stack.supervisor import Supervisor
from ops.stack.unit import Unit

# One that the kernel ends with us, one whose child is out of the kernel's sight and its parent's group.
PLAIN = "import time; time.sleep(600)"
STRAY = (
    "import subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'], start_new_session=True);"
    "time.sleep(600)"
)


async def main(folder: Path) -> None:
    """Supervise, and keep the record, in `folder`."""

    def changed(units: Sequence[Unit]) -> None:
        pid = os.getpid()
        entries = tuple(unit.entry() for unit in units)
        write_record(
            folder / "state.json",
            Record(mark=folder.name, pid=pid, born=born(pid) or 0, url="", entries=entries),
        )

    programs = [
        Program(
            name=name,
            kind=Kind.PROCESS,
            argv=(sys.executable, "-S", "-c", code),
            cwd=folder,
            log=folder / f"{name}.log",
            env={},
        )
        for name, code in (("plain", PLAIN), ("stray", STRAY))
    ]
    supervisor = Supervisor(programs, mark=folder.name, say=lambda *_: None, changed=changed)
    await supervisor.start()
    await supervisor.serve(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

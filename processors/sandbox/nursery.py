"""The parent's end of the fork server: start it, have children made, hear of their deaths."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from processors.sandbox.confinement import Ceiling
from processors.sandbox.outcomes import Death, SandboxUnavailable, Status
from processors.sandbox.waiting import readable

_ROOT = Path(__file__).parents[2]
_MAX_MESSAGE = 4_096
# Loading Pillow and numpy on a machine that is busy with something else.
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
# All that a child may know of our environment; there are secrets in the rest.
_PASSED_ON = ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True, kw_only=True)
class Newborn:
    """A child that has just been made; `died` is set when it is dead."""

    pid: int
    pidfd: int
    died: asyncio.Future[Death]


class Nursery:
    """One fork server process, from `start` to `close`; `lost` is true once it has gone by itself."""

    def __init__(self, *, job: str, seccomp: str, ceiling: Ceiling, yields: bool = False) -> None:
        limits = {"memory": ceiling.memory, "output": ceiling.output, "yields": yields}
        self._options = json.dumps({"job": job, "seccomp": seccomp, **limits})
        self._births: dict[int, asyncio.Future[Newborn]] = {}
        self._deaths: dict[int, asyncio.Future[Death]] = {}
        self._numbered = 0
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.lost = False
        self.about: dict[str, str] = {}

    async def start(self) -> Status:
        """Start the process and wait until it is warm; raises SandboxUnavailable when that fails."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        with theirs:
            self._process = _launch(theirs.fileno(), self._options)
        hello = b""
        if await readable(self._control.fileno(), _START_SECONDS):
            hello = self._control.recv(_MAX_MESSAGE)
        if not hello:
            await self.close()
            raise SandboxUnavailable("the fork server did not start; its standard error says why")
        fields = json.loads(hello)
        self.about = fields["about"]
        asyncio.get_running_loop().add_reader(self._control.fileno(), self._hear)
        return Status(mode=fields["mode"], reason=fields["reason"])

    async def bear(self, channel: int, pictures: int) -> Newborn:
        """A new child with these two descriptors; raises OSError when the kernel makes no more processes."""
        if self._control is None or self.lost:
            raise SandboxUnavailable("the fork server is gone")
        self._numbered += 1
        birth: asyncio.Future[Newborn] = asyncio.get_running_loop().create_future()
        self._births[self._numbered] = birth
        order = json.dumps({"do": "fork", "child": self._numbered}).encode()
        try:
            socket.send_fds(self._control, [order], [channel, pictures])
        except OSError as error:
            del self._births[self._numbered]
            raise SandboxUnavailable("the fork server is gone") from error
        return await birth

    async def close(self) -> None:
        """End the fork server, and with it all children."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        self._settle_all()
        if self._process is not None:
            await asyncio.to_thread(_end, self._process)
            self._process = None

    def _hear(self) -> None:
        control = self._control
        if control is None:
            return
        try:
            text, files, _, _ = socket.recv_fds(control, _MAX_MESSAGE, 1)
        except BlockingIOError:
            return
        except OSError:
            text, files = b"", []
        if not text:
            self.lost = True
            asyncio.get_running_loop().remove_reader(control.fileno())
            self._settle_all()
            return
        fields = json.loads(text)
        if "died" in fields:
            self._record_death(control, fields)
        else:
            self._record_birth(fields, files)

    def _record_birth(self, fields: dict[str, object], files: list[int]) -> None:
        birth = self._births.pop(int(str(fields["child"])))
        if "error" in fields:
            birth.set_exception(OSError(f"no child could be made: {fields['error']}"))
            return
        pid = int(str(fields["pid"]))
        died: asyncio.Future[Death] = asyncio.get_running_loop().create_future()
        self._deaths[pid] = died
        newborn = Newborn(pid=pid, pidfd=files[0], died=died)
        if birth.cancelled():
            signal.pidfd_send_signal(newborn.pidfd, signal.SIGKILL)
            os.close(newborn.pidfd)
        else:
            birth.set_result(newborn)

    def _record_death(self, control: socket.socket, fields: dict[str, int]) -> None:
        died = self._deaths.pop(fields["died"])
        died.set_result(Death(signal=fields["signal"], exit_code=fields["exit_code"]))
        # From here on nobody uses the process id any more.
        control.send(json.dumps({"do": "bury", "pid": fields["died"]}).encode())

    def _settle_all(self) -> None:
        for birth in self._births.values():
            if not birth.done():
                birth.set_exception(SandboxUnavailable("the fork server is gone"))
        for died in self._deaths.values():
            if not died.done():
                died.set_result(Death(signal=0, exit_code=1))
        self._births.clear()
        self._deaths.clear()


def _launch(control: int, options: str) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # One thread each: those that a library starts do not live through a fork, and children may start none.
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    # A child's first picture is mostly page faults; huge pages make it a quarter cheaper where there are any.
    environment["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"
    command = [sys.executable, "-m", "processors.sandbox.fork_server", str(control), options]
    return subprocess.Popen(
        command,
        cwd=_ROOT,
        env=environment,
        pass_fds=(control,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""Runs our own programs as processes for tests, with ports, logs and state of their own, stopped by pid."""

import contextlib
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

import httpx

ROOT = Path(__file__).parents[1]
PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For `verify` where nobody speaks TLS: else httpx reads the world's certificates for each client, 30 ms."""
_MOST_PROCESSES: Final = 16


def _own_ports() -> Iterator[int]:
    """Every port in a random order, again and again; test processes that run side by side share none.

    Below those that servers of ours choose from, and that the system gives to whoever connects.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = list(range(10_000 + number % _MOST_PROCESSES, 20_000, _MOST_PROCESSES))
    secrets.SystemRandom().shuffle(ports)
    return cycle(ports)


_PORTS: Final = _own_ports()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on right now, and that was long not given to anybody."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def asked(url: str, seconds: float = 20.0) -> httpx.Response:
    """What a program of ours answers to a GET; cheap enough to be asked again and again."""
    return httpx.get(url, timeout=seconds, verify=PLAIN)


class Program:
    """One running `python -m …` of ours; its output is kept in a file that a failing test can show."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = "-".join(arguments)
        self.arguments = tuple(arguments)
        self.port = int(env.get("PORT", "0"))
        self.metrics_port = free_port()
        self.log = folder / f"{self.name}-{self.metrics_port}.log"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONUNBUFFERED": "1",
            "STATE_DIR": str(folder / f"state-{self.name}"),
            **env,
            "METRICS_PORT": str(self.metrics_port),
        }
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                cwd=ROOT,
                env=self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}"

    def alive(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_ready(self, url: str | None = None, seconds: float = 60.0) -> "Program":
        """Waits until `url` (default: /readyz on the metrics port) answers 200; fails with the log's tail."""
        target = url or f"{self.metrics_url}/readyz"
        deadline = time.monotonic() + seconds
        last = "no answer yet"
        while time.monotonic() < deadline:
            if not self.alive():
                break
            with contextlib.suppress(httpx.HTTPError):
                answer = asked(target, 2.0)
                if answer.status_code == 200:
                    return self
                last = f"{answer.status_code} {answer.text[:300]}"
            time.sleep(0.05)
        state = "runs" if self.alive() else f"ended with {self.process.returncode}"
        raise AssertionError(f"{self.name} {state} but is not ready ({last})\n{self.output()[-4000:]}")

    def send(self, signal_number: signal.Signals) -> None:
        self.process.send_signal(signal_number)

    def kill(self) -> None:
        """SIGKILL to the program and its children, as when a machine goes away."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self, seconds: float = 20.0) -> int:
        """SIGTERM, then SIGKILL to what is left after `seconds`; gives the exit code."""
        if self.alive():
            self.process.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return code

    def restart(self) -> "Program":
        """Starts the same program anew with the same ports and state."""
        self.process = self._start()
        return self


@contextlib.contextmanager
def running(*programs: Program) -> Iterator[tuple[Program, ...]]:
    """Stops the programs in reverse order at the end, whatever happened."""
    try:
        yield programs
    finally:
        for program in reversed(programs):
            program.stop()

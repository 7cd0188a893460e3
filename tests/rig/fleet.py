"""Our programs under a supervisor that starts again what leaves, while tests kill, freeze and stop them."""

import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import psutil

from tests.programs import Program
from tests.rig.history import History

LEFT_TO_START_ANEW: Final = 75
_LOOK_SECONDS: Final = 0.05
_TOLD: Final = '"worker_stops"'
_OPEN: Final = frozenset({"FAILPOINTS", "RIG_CLOCK_SKEW"})

Make = Callable[[int, Mapping[str, str]], Program]
"""Makes the program of a number with these settings beside its own, running already."""


class Fleet:
    """Programs of one kind by their number, from `start` to `close`.

    One that leaves with 75 is started again, as `make up` does; any other end that nobody here caused is
    kept in `casualties`.
    """

    def __init__(self, make: Make, history: History, *, name: str) -> None:
        self._make = make
        self._history = history
        self._name = name
        self._programs: dict[int, Program] = {}
        self._expected: set[int] = set()
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, name=f"fleet-{name}", daemon=True)
        self.casualties: list[str] = []
        self.left = 0

    def __getitem__(self, number: int) -> Program:
        return self._programs[number]

    def start(self, *numbers: int, ready: bool = True, **settings: str) -> None:
        """Starts these, side by side; waits until they are ready. Settings stay for later starts."""
        for number in numbers:
            self._say(" ".join(["start", *map(_shown, settings.items())]), number)
            with self._lock:
                self._expected.discard(number)
                if (known := self._programs.get(number)) is None:
                    self._programs[number] = self._make(number, settings)
                else:
                    known.env |= settings
                    known.restart()
        if not self._watching.is_alive():
            self._watching.start()
        if ready:
            self.wait_ready(*numbers)

    def wait_ready(self, *numbers: int) -> None:
        """Waits until these take work."""
        for number in numbers:
            self._programs[number].wait_ready()

    def wait_ready_or_dead(self, number: int) -> None:
        """Waits until this one takes work, or has killed itself before it said so."""
        try:
            self._programs[number].wait_ready()
        except AssertionError:
            if self._programs[number].process.poll() != -signal.SIGKILL:
                raise

    def wait_dead(self, number: int, seconds: float) -> bool:
        """Waits so long for this one to kill itself; whether it did."""
        deadline = time.monotonic() + seconds
        while self._programs[number].alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def kill(self, number: int) -> None:
        """SIGKILL, to its children too; it stays down until `start`."""
        self._say("SIGKILL", number)
        with self._lock:
            self._expected.add(number)
            self._programs[number].kill()

    def stop(self, number: int, seconds: float = 40.0) -> int:
        """SIGTERM; gives the exit code. It stays down until `start`."""
        self._say("SIGTERM", number)
        with self._lock:
            self._expected.add(number)
        return self._programs[number].stop(seconds)

    def stop_at_once(self, number: int, seconds: float = 8.0) -> int:
        """SIGTERM, and another as soon as it has taken note of the first; gives the exit code."""
        self._say("SIGTERM twice", number)
        with self._lock:
            self._expected.add(number)
        program = self._programs[number]
        before = program.output().count(_TOLD)
        program.send(signal.SIGTERM)
        while program.output().count(_TOLD) == before:
            time.sleep(_LOOK_SECONDS)
        program.send(signal.SIGTERM)
        try:
            return program.process.wait(seconds)
        finally:
            program.kill()

    def leave(self, number: int, seconds: float = 40.0) -> int:
        """SIGUSR2: it leaves its group for good and ends; gives the exit code. It is down until `start`."""
        self._say("SIGUSR2", number)
        with self._lock:
            self._expected.add(number)
        program = self._programs[number]
        program.send(signal.SIGUSR2)
        try:
            return program.process.wait(seconds)
        finally:
            program.kill()

    def expect_frozen(self, number: int, seconds: float = 60.0) -> None:
        """Waits until this one has frozen itself at a failpoint."""
        process, deadline = psutil.Process(self._programs[number].pid), time.monotonic() + seconds
        while process.status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < deadline, f"not frozen; {self._programs[number].output()[-3000:]}"
            time.sleep(_LOOK_SECONDS)
        self._say("froze itself:", number)

    def thaw(self, number: int) -> None:
        """SIGCONT."""
        self._say("SIGCONT", number)
        self._programs[number].send(signal.SIGCONT)

    def freeze(self, number: int) -> None:
        """SIGSTOP to the program alone, as in a long pause of its interpreter or machine; until `thaw`."""
        self._say("SIGSTOP", number)
        self._programs[number].send(signal.SIGSTOP)

    def pids(self) -> dict[int, int]:
        """The process ids of those that run, by number."""
        with self._lock:
            return {number: each.pid for number, each in self._programs.items() if each.alive()}

    def outputs(self) -> dict[int, str]:
        """All that each has said so far, in all its lives."""
        return {number: program.output() for number, program in self._programs.items()}

    def close(self) -> None:
        """Ends all of them."""
        self._over.set()
        if self._watching.is_alive():
            self._watching.join(5)
        for program in self._programs.values():
            program.stop()

    def output(self) -> str:
        """The last lines of each."""
        return "\n".join(f"{program.name}: {program.output()[-2000:]}" for program in self._programs.values())

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            with self._lock:
                for number, program in self._programs.items():
                    if number not in self._expected and (code := program.process.poll()) is not None:
                        self._ended(number, program, code)

    def _ended(self, number: int, program: Program, code: int) -> None:
        program.kill()
        if code == LEFT_TO_START_ANEW:
            self.left += 1
            self._say("left", number)
            program.restart()
            return
        self._expected.add(number)
        self._say(f"ended with {code}", number)
        if code != -signal.SIGKILL:  # a failpoint is no casualty
            self.casualties.append(f"{self._name} {number} ended with {code}: {program.output()[-1500:]}")

    def _say(self, what: str, number: int) -> None:
        self._history.fault(f"{what} {self._name} {number}")


def _shown(setting: tuple[str, str]) -> str:
    """A setting as a history may hold it: values may be secret, the rig's own are not."""
    name, value = setting
    return f"{name}={value}" if name in _OPEN else f"{name}=…"

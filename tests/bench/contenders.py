"""Contenders: processes that take a job as a line of JSON and answer with a line when it is done."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.bench.machine import PeakMemory

ROOT = Path(__file__).parents[2]


class ContenderFailed(Exception):
    """A contender ended or answered with what is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one job took and made: ms of processor and wall, MiB at the peak, bytes by file name."""

    cpu_ms: float
    wall_ms: float
    peak_mib: float
    sizes: dict[str, int]


class Contender:
    """One process that does jobs, for use in a `with`; `ready` is what it said of its versions."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            list(command), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._memory = PeakMemory(self._process.pid)
        self.ready = str(self._answer()["ready"])

    def do(self, picture: Path, *, save: Path | None = None) -> Done:
        """One job; with `save` the files it makes stay in that folder. Raises ContenderFailed."""
        if self._process.stdin is None:
            raise ContenderFailed(self.name)
        self._memory.reset()
        asked = {"picture": str(picture.absolute()), "save": str(save.absolute()) if save else None}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        return Done(
            cpu_ms=answer["cpu_ms"],
            wall_ms=answer["wall_ms"],
            peak_mib=self._memory.mib(),
            sizes={made["name"]: made["size"] for made in answer["variants"]},
        )

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise ContenderFailed(f"{self.name} ended with {self._process.wait(10)}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process: it ends by itself when nobody can ask any more."""
        self._process.communicate(timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self.close()

"""Processes that benchmarks talk with: a line of JSON there, a line of JSON back."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from tests.programs import ROOT


class PartnerFailed(Exception):
    """A process that was talked with ended or did not answer in JSON."""


class Partner:
    """One process, for use in a `with`; `ready` is what it said when it could begin."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._process = subprocess.Popen(
            list(command), cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ready = str(self.answer()["ready"])

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, request: object) -> None:
        """Send one request; its answer is to be read before the next."""
        if self._process.stdin is None:
            raise PartnerFailed(self.name)
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the answer; raises PartnerFailed when there will be none."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self.close()
            raise PartnerFailed(f"{self.name} ended with {self._process.returncode}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process: it ends by itself when nobody can ask any more."""
        if self._process.stdout is not None and not self._process.stdout.closed:
            self._process.communicate(timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self.close()

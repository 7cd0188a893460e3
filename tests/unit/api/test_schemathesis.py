"""Schemathesis asks every door that is described for all that it may be asked, and for what it may not (H12).

The short form walks through every boundary that the schemas name, then follows links for a moment. With
FUZZ_SECONDS=600 it goes on inventing requests for so long.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.unit.api.described import operations
from tests.unit.api.doors import ROOT, Stage
from tests.unit.api.listening import Listening, listening
from tests.unit.api.people import somebody

FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
UNLIMITED = {
    f"RATE_{name}": "off" for name in ("READS", "WRITES", "UPLOADS", "KEYS", "STRANGERS", "REGISTRATIONS")
}
# A schema can't say what a cursor or a token of ours is: what fits it may be refused all the same.
CHECKS = ("--checks", "all", "--exclude-checks", "positive_data_acceptance")
SHORT = ("--phases", "examples,coverage,stateful", "--max-examples", "3", "--seed", "1")
LONG = ("--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(int(FUZZ_SECONDS)))


@asynccontextmanager
async def doors() -> AsyncIterator[Listening]:
    """Doors whose read models keep up, and whose streams end soon."""
    async with listening(**UNLIMITED, SSE_LIFETIME="0.2s", JSON_MAX_BYTES="1000000") as there:
        following = asyncio.create_task(_catching_up(there.on))
        try:
            yield there
        finally:
            following.cancel()


async def _catching_up(on: Stage) -> None:
    while True:
        on.reads.catch_up()
        await asyncio.sleep(0.02)


async def asked(there: Listening, shown: str, folder: Path, options: Sequence[str]) -> tuple[int, str]:
    """Schemathesis' exit code and report."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{there.port}/openapi.json"),
        *("--header", f"Authorization: Bearer {shown}", "--request-timeout", "10", "--warnings", "off"),
        *(*CHECKS, *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


async def credential(on: Stage, who: str) -> str:
    """What this caller shows: a person's access token, or a machine's key."""
    return ROOT if who == "key" else (await somebody(on, role=who)).access


def unheard(on: Stage) -> set[str]:
    """The operations that never looked at what was asked, since they never believed who asked."""
    heard = {
        f"{sample.labels['method']} {sample.labels['route']}"
        for family in on.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "darkroom_http_requests_total"
        and sample.labels["status"] not in {"401", "405", "429"}
    }
    return {operation.name for operation in operations()} - heard


# Whoever logs out, gives their role away or erases themselves can't go on asking: these come last.
LAST_WORDS: Final = ("/v1/auth/logout", "/v1/users/{user_id}")


@pytest.mark.timeout(180 + 3 * FUZZ_SECONDS)
@pytest.mark.parametrize("who", ["admin", "user", "key"] if FUZZ_SECONDS else ["admin"])
async def test_h12_no_request_meets_a_fault_or_an_answer_that_is_not_described(
    who: str, tmp_path: Path
) -> None:
    options = LONG if FUZZ_SECONDS else SHORT
    async with doors() as there:
        shown = await credential(there.on, who)
        for which in ("--exclude-path", "--include-path"):
            paths = [word for path in LAST_WORDS for word in (which, path)]
            code, report = await asked(there, shown, tmp_path, [*options, *paths])
            assert code == 0, report
            assert "No issues found" in report
    assert unheard(there.on) == set()

"""`python -m ops dead-letters`: what is meant is named, what is left out counted, mistakes cost nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from adapters.dead_letters import InMemoryDeadLetters, Reason
from ops.dead_letters import cli
from projections.dead_letters.queries import Held, Spot, Told
from schemas.envelope import RawRecord

KEY = str(UUID(int=7)).encode()
NOW = datetime(2026, 5, 17, tzinfo=UTC)


@dataclass
class Bench:
    """A desk over letters in memory; `holding` are the offsets of records that hold others back."""

    letters: InMemoryDeadLetters = field(default_factory=InMemoryDeadLetters)
    holding: set[int] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)
    secret: bytes = b"secret"
    wait: float = 5.0

    @property
    def work(self) -> "Bench":
        return self

    codec = SimpleNamespace(decode=None)
    clock = SimpleNamespace(now=lambda: NOW)

    async def held(self, spots: Collection[Spot]) -> dict[Spot, Held]:
        return {
            spot: Held(spot=spot, key=KEY, waiting=2, redrives=0, asked=False)
            for spot in spots
            if spot[2] in self.holding
        }

    async def failed_jobs(self, job_ids: Sequence[UUID]) -> set[UUID]:
        return set(job_ids)

    async def said(self, event_ids: Sequence[UUID]) -> set[UUID]:
        del event_ids
        return set()

    async def original(self, asset_id: UUID) -> None:
        """Everything lies in the trash."""
        del asset_id

    async def told(self, asset_ids: Collection[UUID]) -> dict[UUID, Told]:
        raise AssertionError(asset_ids)

    async def ask_redrive(self, found: Held, now: datetime) -> None:
        del now
        self.asked.append(found.spot[2])
        self.holding.discard(found.spot[2])

    def bury(self, offset: int, *, holds: bool = False, component: str = "projector") -> None:
        headers = [("jobid", str(UUID(int=offset)).encode())]
        record = RawRecord(
            topic="t", partition=0, offset=offset, timestamp_ms=0, key=KEY, value=b"x", headers=headers
        )
        reason = Reason(component=component, code="too_short", error_kind="undecodable", first_failed_at=NOW)
        self.letters.append_sync(record, reason)
        if holds:
            self.holding.add(offset)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Letters 0-0 to 0-4 of the records 10 to 14, of which the even ones hold others back."""
    made = Bench()
    for offset in range(10, 15):
        made.bury(offset, holds=offset % 2 == 0)

    def at_bench(work: Callable[[Any], Awaitable[Any]], *, wait: float) -> Any:
        del wait
        return asyncio.run(_awaited(work(made)))

    monkeypatch.setattr(cli, "at_desk", at_bench)
    return made


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


def ran(*words: str) -> Result:
    return CliRunner().invoke(cli.app, words, env={"COLUMNS": "80"}, catch_exceptions=False)


def ids_in(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line.startswith("0-")]


def test_a_list_says_how_many_it_leaves_out(bench: Bench) -> None:
    done = ran("list")
    assert ids_in(done.stdout) == ["0-4", "0-2", "0-0"]
    assert "Left out: 2 on which nothing hangs" in done.stderr
    every = ran("list", "--all")
    assert ids_in(every.stdout) == ["0-4", "0-3", "0-2", "0-1", "0-0"]
    assert every.stderr == ""
    assert "more than these 2" in ran("list", "--max", "2").stderr
    assert "more than" not in ran("list", "--max", "3").stderr
    assert [each["id"] for each in json.loads(ran("list", "--json").stdout)] == ["0-4", "0-2", "0-0"]
    bench.holding.clear()
    assert ran("list").stdout == "There are no such dead letters.\n"


@pytest.mark.parametrize("command", ["redrive", "discard"])
def test_a_dry_run_names_the_letters_and_does_nothing(bench: Bench, command: str) -> None:
    done = ran(command, "--where", "component=projector", "--dry-run", "--max", "2")
    assert ids_in(done.stdout) == ["0-4", "0-2"]
    assert "2 are meant; nothing was done." in done.stdout
    assert "more than these 2" in done.stderr
    assert ids_in(ran(command, "0-0", "0-1", "--dry-run").stdout) == ["0-0", "0-1"]
    assert ran(command, "--where", "code=never", "--dry-run").stdout == "No letter is meant.\n"
    assert bench.asked == []


def test_a_redrive_takes_the_oldest_first_and_says_what_it_left(bench: Bench) -> None:
    done = ran("redrive", "--where", "component=projector", "--json")
    assert (done.exit_code, bench.asked) == (0, [10, 12, 14])
    assert json.loads(done.stdout) == dict.fromkeys(("0-0", "0-2", "0-4"), "redriven")
    assert "Left out: 2" in done.stderr


def test_what_is_not_done_with_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def in_vain(found: Held, now: datetime) -> None:
        del now
        bench.asked.append(found.spot[2])

    monkeypatch.setattr(bench, "ask_redrive", in_vain)
    done = ran("redrive", "0-0", "0-1")
    assert done.exit_code == 4
    assert done.stdout == "1 over already\n1 read again in vain\n0-0: read again in vain\n"


def test_what_lies_in_the_trash_is_not_worked_on(bench: Bench) -> None:
    bench.bury(20, component="variants")
    done = ran("redrive", "0-5", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (4, {"0-5": "impossible"})


def test_what_is_no_letter_or_no_condition_is_refused_before_anybody_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody(work: object, *, wait: float) -> None:
        raise AssertionError((work, wait))

    monkeypatch.setattr(cli, "at_desk", nobody)
    for words in (
        ("show", "seven"),
        ("redrive", "0-1", "x"),
        ("redrive",),
        ("redrive", "0-1", "--where", "code=x"),
        ("discard", "--where", "colour=red"),
        ("list", "--where", "since=yesterday"),
        ("resume", "erasures"),
    ):
        assert ran(*words).exit_code == 2, words
    assert ran("redrive", "0-1", "0-2", "--max", "1").exit_code == 3

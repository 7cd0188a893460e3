"""Runs over many assets in Postgres: what a turn of their driver reads, and what a change of presets left."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from adapters.clock import FixedClock
from adapters.settings import Settings
from ops.presets.stragglers import Left, decide, left
from ops.runs.driver import Driver
from ops.runs.rows import PostgresRows
from projections.assets.originals import Selection
from projections.runs.queries import open_runs
from projections.statements import statements
from schemas.run import RunState, evolve
from tests.integration.projections.rows import prepare
from tests.servers import World

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OLD, NEW = "a" * 64, "b" * 64
RUN = UUID(int=99)
MANY = 10_000
UNDER_WAY = 100


@pytest.fixture(scope="module")
def database(world: World) -> Settings:
    settings = world.settings()
    prepare(settings)
    return settings


@pytest.fixture
def conn(database: Settings) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.postgres.url.get_secret_value(), autocommit=True) as made:
        for table in ("assets", "jobs", "runs", "preset_sets"):
            made.execute(f"delete from live.{table}".encode())  # noqa: S608 - our own names
        yield made


@pytest.fixture
async def doors(database: Settings) -> AsyncIterator[AsyncConnection[Any]]:
    address = database.postgres.url.get_secret_value()
    async with await AsyncConnection.connect(address, autocommit=True) as made:
        yield made


def run(
    conn: psycopg.Connection[Any], run_id: UUID, status: str = "running", *, at: datetime = NOW, of: str = NEW
) -> None:
    selection = Selection(not_of_set=of).to_json()
    counts = '{"requested": 0, "completed": 0, "failed": 0, "skipped": 0}' if status != "running" else None
    conn.execute(
        _RUN, {"id": run_id, "filter": selection, "set": of, "status": status, "at": at, "counts": counts}
    )


def activate(conn: psycopg.Connection[Any], name: str, offset: int) -> None:
    conn.execute(_SET, {"set": name, "at": NOW, "offset": offset})


def asset(
    conn: psycopg.Connection[Any], number: int, *, of: str = OLD, status: str = "ready", trashed: bool = False
) -> UUID:
    asset_id = UUID(int=number)
    given = {"first": number, "last": number, "set": of, "status": status, "at": NOW}
    conn.execute(_ASSETS, given | {"deleted": NOW if trashed else None})
    return asset_id


def job(conn: psycopg.Connection[Any], number: int, *, state: str, run_id: UUID | None = None) -> None:
    given = {"first": number, "last": number, "state": state, "run": run_id, "at": NOW}
    conn.execute(_JOBS, given)


async def test_a_turn_reads_what_is_under_way_and_not_what_was_done(
    conn: psycopg.Connection[Any], doors: AsyncConnection[Any], database: Settings
) -> None:
    """With 10,000 requested assets: the rows that the turn's statements read, as Postgres counts them."""
    run(conn, RUN)
    conn.execute(
        _ASSETS, {"first": 1, "last": MANY, "set": OLD, "status": "ready", "at": NOW, "deleted": None}
    )
    done = {"first": 1, "last": MANY - UNDER_WAY, "state": "completed", "run": RUN, "at": NOW}
    conn.execute(_JOBS, done)
    conn.execute(_JOBS, done | {"first": MANY - UNDER_WAY + 1, "last": MANY, "state": "queued"})
    for table in ("jobs", "assets"):
        conn.execute(f"analyze {_table(conn, table)}".encode())
    rows = statements("jobs/outstanding.sql")
    few = _read(conn, rows["under_way_of_runs"], {"run_ids": [RUN]})
    many = _read(conn, rows["jobs_of_runs"], {"run_ids": [RUN]})
    assert few <= 2 * UNDER_WAY < MANY <= many, (few, many)

    driver = Driver(_NoLog(), FixedClock(NOW), outstanding=2 * UNDER_WAY)  # type: ignore[arg-type] # asks for nothing
    found = _Counted(doors, database.kafka.topics, open_runs(conn))
    for _ in range(5):
        assert await driver.turn(found) == {"requested": 0, "completed": 0}
    assert found.passes == 1, "one look over all assets; no other before all that was asked for has ended"


class _Counted(PostgresRows):
    passes = 0

    async def wanted(self, run: RunState, *, after: UUID | None, limit: int) -> Any:
        self.passes += 1
        return await super().wanted(run, after=after, limit=limit)


class _NoLog:
    """A log that nobody should write to."""


def _table(conn: psycopg.Connection[Any], name: str) -> str:
    """Where the rows of a view of `live` stand."""
    found = conn.execute(_WHERE, {"name": name}).fetchone()
    assert found is not None
    return f"{found[0]}.{name}"


def _read(conn: psycopg.Connection[Any], statement: bytes, given: dict[str, Any]) -> int:
    """How many rows the statement's scans touched."""
    row = conn.execute(b"explain (analyze, timing off, format json) " + statement, given).fetchone()
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return _touched(plan[0]["Plan"])


def _touched(node: dict[str, Any]) -> int:
    inner = sum(_touched(one) for one in node.get("Plans", []))
    if "Scan" not in node["Node Type"]:
        return inner
    dropped = sum(
        int(node.get(name, 0)) for name in ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    )
    return inner + int((node["Actual Rows"] + dropped) * node["Actual Loops"])


def test_whatever_a_completed_change_passed_by_is_asked_for_once(conn: psycopg.Connection[Any]) -> None:
    """Every ready asset is of the new set, or has a request under way, or failed by it, or is left here."""
    activate(conn, OLD, 1)
    activate(conn, NEW, 2)
    run(conn, RUN, "completed")
    late, restored = asset(conn, 1), asset(conn, 2)
    asset(conn, 3, of=NEW)
    asset(conn, 4, trashed=True)
    asset(conn, 5, status="failed")
    asset(conn, 6)
    job(conn, 6, state="active")
    asset(conn, 7)
    job(conn, 7, state="failed", run_id=RUN)
    job(conn, 2, state="completed", run_id=_earlier(conn))
    found = left(conn)
    assert found == Left(run_id=RUN, preset_set=NEW, asset_ids=[late, restored])
    assert left(conn, limit=1) == Left(run_id=RUN, preset_set=NEW, asset_ids=[late])

    event = decide(found, FixedClock(NOW))
    assert decide(found, FixedClock(NOW)) == event, "two processes begin one run"
    begun = evolve(None, event)
    assert begun is not None
    assert (begun.kind, begun.preset_set, begun.owner_id) == ("presets", NEW, None)
    picked = Selection.from_json(begun.filter)
    assert (set(picked.asset_ids), picked.not_of_set) == ({late, restored}, NEW)

    run(conn, event.run_id, "running", at=NOW + timedelta(minutes=1))
    assert left(conn) is None, "while it is under way nothing else is begun"
    conn.execute("update live.runs set status = 'completed' where run_id = %s", (event.run_id,))
    job(conn, 1, state="failed", run_id=event.run_id)
    job(conn, 2, state="failed", run_id=event.run_id)
    assert left(conn) is None, "what failed is not asked for again and again"


@pytest.mark.parametrize("status", ["running", "paused", "cancelled"])
def test_only_a_completed_change_is_completed(conn: psycopg.Connection[Any], status: str) -> None:
    activate(conn, NEW, 1)
    asset(conn, 1)
    run(conn, RUN, status)
    assert left(conn) is None


def test_a_change_to_a_set_that_is_not_active_any_more_is_left_alone(conn: psycopg.Connection[Any]) -> None:
    activate(conn, NEW, 1)
    activate(conn, OLD, 2)
    asset(conn, 1, of=NEW)
    run(conn, RUN, "completed", of=NEW)
    assert left(conn) is None


def _earlier(conn: psycopg.Connection[Any]) -> UUID:
    """A change to the same set, before another took its place for a while."""
    run_id = uuid4()
    run(conn, run_id, "completed", at=NOW - timedelta(days=3))
    return run_id


_RUN = b"""
insert into live.runs (run_id, kind, filter, preset_set, status, version, started_at, counts, steered)
values (%(id)s, 'presets', %(filter)s, %(set)s, %(status)s, 1, %(at)s, %(counts)s, '{}')
"""
_SET = b"""
insert into live.preset_sets (preset_set, presets, defined_at, activated_at, activated_offset)
values (%(set)s, '[]', %(at)s, %(at)s, %(offset)s)
"""
_ASSETS = b"""
insert into live.assets (asset_id, owner_id, status, tags, requested_at, uploaded_at, listed_at, deleted_at,
    doomed, incoming_key, original_key, size, data_key_id, variants, preset_set, kept, search, version,
    position_partition, position_offset)
select lpad(to_hex(n), 32, '0')::uuid, gen_random_uuid(), %(status)s, '{}', %(at)s, %(at)s, %(at)s,
    %(deleted)s, false, 'x', 'o', 1, gen_random_uuid(), '[]', %(set)s, '[]', '{}', 2, 0, n
from generate_series(%(first)s::int, %(last)s::int) as n
"""
_JOBS = b"""
insert into live.jobs (asset_id, job_id, owner_id, nth, kind, lane, state, attempts, queued_at, run_id)
select lpad(to_hex(n), 32, '0')::uuid, gen_random_uuid(), gen_random_uuid(), 2, 'presets', 'bulk', %(state)s,
    0, %(at)s, %(run)s
from generate_series(%(first)s::int, %(last)s::int) as n
"""
_WHERE = b"select schema_name from infra.read_models where name = %(name)s and active"

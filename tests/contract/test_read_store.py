"""Postgres: the infrastructure tables, and how connections are had and lost."""

import asyncio
import threading

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import PoolTimeout

from adapters.migrating import migrate
from adapters.read_store import async_pool, connect
from adapters.settings import Settings, load_settings
from tests.servers import World

MIGRATIONS = (
    "0001.infrastructure",
    "0002.soft_state",
    "0003.rate_limits",
    "0004.api_key_uses",
    "0005.uploads",
    "0006.stream_tickets",
    "0007.retired_sets",
    "0008.redrives",
    "0009.copies",
    "0010.streams_and_age",
    "0011.loops",
    "0012.beside",
    "0013.late",
)
TABLES = {
    ("api", "contents"),
    ("api", "idempotency"),
    ("api", "key_uses"),
    ("api", "quota_reservations"),
    ("api", "rate_limits"),
    ("api", "retired_sets"),
    ("api", "stream_holders"),
    ("api", "stream_places"),
    ("api", "stream_tickets"),
    ("infra", "checkpoints"),
    ("infra", "copied_partitions"),
    ("infra", "copies"),
    ("infra", "dead_lettered"),
    ("infra", "discards"),
    ("infra", "loops"),
    ("infra", "quarantine"),
    ("infra", "read_models"),
    ("infra", "redrives"),
}


@pytest.fixture
def settings(world: World) -> Settings:
    """Settings with an empty database of the test's own."""
    return world.settings(DATABASE_URL=world.servers.new_database())


def tables(settings: Settings) -> set[tuple[str, str]]:
    with connect(settings) as connection:
        rows = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('api', 'infra')"
        ).fetchall()
    return {(row[0], row[1]) for row in rows}


def test_migrations_bring_the_tables_and_are_applied_once(settings: Settings) -> None:
    assert migrate(settings) == MIGRATIONS
    assert migrate(settings) == ()
    assert tables(settings) == TABLES


def test_processes_that_migrate_at_once_do_not_meet(settings: Settings) -> None:
    applied: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: applied.append(migrate(settings))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(len, applied)) == [0, 0, 0, len(MIGRATIONS)]
    assert tables(settings) == TABLES


def test_a_process_that_died_over_migrating_keeps_nobody_out(settings: Settings) -> None:
    migrate(settings)
    with connect(settings) as connection:
        connection.execute("insert into yoyo_lock (locked, ctime, pid) values (1, now(), 1)")
    assert migrate(settings) == ()


def test_a_long_reader_has_a_migration_tried_again_and_nobody_wait_behind_it(settings: Settings) -> None:
    migrate(settings)
    with connect(settings) as connection:
        connection.execute("alter table infra.checkpoints drop column late")
        connection.execute("delete from _yoyo_migration where migration_id = '0013.late'")
    with connect(settings) as reader:
        reader.execute("select count(*) from infra.checkpoints")
        with pytest.raises(psycopg.OperationalError, match="lock timeout"):  # what `ops migrate` waits out
            migrate(settings)
    assert migrate(settings) == ("0013.late",)


def test_one_version_of_a_read_model_is_active(settings: Settings) -> None:
    migrate(settings)
    insert = "insert into infra.read_models values ('assets', %s, %s, %s)"
    with connect(settings) as connection:
        connection.execute(insert, (1, "assets_1", True))
        connection.execute(insert, (2, "assets_2", False))
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(insert, (3, "assets_3", True))


def test_a_connection_of_ones_own_is_in_a_transaction(settings: Settings) -> None:
    migrate(settings)
    with pytest.raises(psycopg.errors.DivisionByZero):
        _insert_and_fail(settings)
    with connect(settings) as connection:
        assert connection.execute("select count(*) from infra.read_models").fetchone() == (0,)


def _insert_and_fail(settings: Settings) -> None:
    with connect(settings) as connection:
        connection.execute("insert into infra.read_models values ('assets', 1, 'assets_1', true)")
        connection.execute("select 1 / 0")


async def test_the_pool_runs_statements_by_themselves_and_bounds_their_time(world: World) -> None:
    settings = world.settings(DATABASE_STATEMENT_TIMEOUT="0.2s", DATABASE_POOL_SIZE="2")
    async with async_pool(settings, "doors") as pool:
        async with pool.connection() as connection:
            with pytest.raises(psycopg.errors.QueryCanceled):
                await connection.execute("select pg_sleep(5)")
            name = await (await connection.execute("show application_name")).fetchone()
            assert name == ("darkroom doors",)
            await connection.execute("create temporary table t (x int)")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


async def test_a_pool_without_a_server_says_so_in_time() -> None:
    settings = load_settings(
        {"DATABASE_URL": "postgresql://x:y@127.0.0.1:1/x", "DATABASE_CONNECT_TIMEOUT": "1s"}
    )
    pool = async_pool(settings)
    await pool.open()
    async with asyncio.timeout(20):
        with pytest.raises(PoolTimeout):
            async with pool.connection():
                pass
    await pool.close()


async def test_the_pool_heals_when_its_connections_are_cut(settings: Settings) -> None:
    async with async_pool(settings) as pool:
        async with pool.connection() as connection:
            await connection.execute("select 1")
        await asyncio.to_thread(_cut_all, settings)
        for _ in range(300):
            try:
                async with pool.connection() as connection:
                    await connection.execute("select 1")
                break
            except psycopg.OperationalError:
                await asyncio.sleep(0.1)
        else:
            pytest.fail("the pool did not heal")


def _cut_all(settings: Settings) -> None:
    with connect(settings) as connection:
        statement = sql.SQL(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        connection.execute(statement)


async def test_what_an_outage_broke_in_the_pool_is_handed_to_nobody(world: World) -> None:
    """R07: connections died while they lay idle; whoever asks next notices nothing."""
    settings = world.settings(DATABASE_POOL_SIZE="10")
    async with async_pool(settings, "idle doors") as pool:

        async def asked() -> None:
            async with pool.connection() as connection:
                await connection.execute("SELECT pg_sleep(0.2)")

        await asyncio.gather(*(asked() for _ in range(10)))
        with connect(settings, "killer") as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'darkroom idle doors'"
            ).fetchall()
        assert len(ended) > 3
        for _ in range(12):
            await asked()

"""`python -m ops objects audit`: whether the store holds what it should, and nothing else."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import psycopg
import typer
from confluent_kafka import KafkaException
from pydantic import TypeAdapter, ValidationError

from adapters import read_store
from adapters.object_store import S3ObjectStore, StoreError
from adapters.settings import Settings, settings_or_exit
from adapters.settings.fields import Duration
from adapters.telemetry import Metrics
from ops.erasures.rows import reached
from ops.objects.audit import Report, remove
from ops.objects.audit import audit as compare
from ops.waiting import UNREACHABLE, WRONG, Json, Wait, leave, quiet_logs
from projections.lifecycle.projection import STATES
from projections.statements import statements
from projections.topic import TopicMissing, WrongPartitions, ends

app = typer.Typer(no_args_is_help=True, help="The objects in the store.")

COMPONENT: Final = "objects"
_SQL: Final = str(Path(__file__).with_name("queries.sql"))
_DIFFERS: Final = 4
_SHOWN: Final = 20
_PAGE: Final = 5000
_LOOK_EVERY_SECONDS: Final = 0.2

Remove = Annotated[bool, typer.Option("--remove-orphans", help="Remove what no asset has.")]
Grace = Annotated[str, typer.Option("--grace", help="What is younger is no orphan yet: 24h, 2d, …")]

Conn = psycopg.Connection[Any]


class Behind(Exception):
    """The read models can't be believed: they have not applied all of the log."""


@app.callback()
def objects() -> None:
    """The objects in the store."""


@app.command()
def audit(
    remove_orphans: Remove = False, grace: Grace = "24h", wait: Wait = 30.0, as_data: Json = False
) -> None:
    """Compare the store with the read models, both ways; change nothing unless told to.

    Exit code: 0 they agree, 4 they differ, 1 not reached, or 3 where the read models lag.
    """
    quiet_logs()
    settings = settings_or_exit()
    try:
        age = TypeAdapter[timedelta](Duration).validate_python(grace)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="--grace") from error
    try:
        report = asyncio.run(_audited(settings, age, remove_orphans=remove_orphans, wait=wait))
    except Behind as error:
        leave(str(error), code=WRONG)
    except (KafkaException, StoreError, TopicMissing, WrongPartitions, psycopg.Error) as error:
        leave(f"{type(error).__name__}: {error}.", code=UNREACHABLE)
    if as_data:
        typer.echo(json.dumps(_plain(report)))
    else:
        _tell(report)
    if not report.clean:
        raise typer.Exit(_DIFFERS)


async def _audited(settings: Settings, age: timedelta, *, remove_orphans: bool, wait: float) -> Report:
    store = S3ObjectStore(settings.store, metrics=Metrics().store)
    try:
        with closing(read_store.connect(settings, COMPONENT)) as conn:
            conn.autocommit = True
            await _require_current(settings, conn, wait)
            report = await compare(
                store,
                lambda asset_ids: STATES.load(conn, list(asset_ids)),
                lambda: _uploaded(conn),
                before=datetime.now(UTC) - age,
            )
            if remove_orphans and report.orphans:
                await remove(store, report)
            return report
    finally:
        await store.close()


async def _require_current(settings: Settings, conn: Conn, wait: float) -> None:
    """Raises Behind unless all that stands in the log is applied within so many seconds.

    To a read model that was just laid anew everything in the store would be an orphan.
    """
    topic = settings.kafka.topics.assets
    goal, deadline = ends(settings.kafka, topic), time.monotonic() + wait
    while not reached(conn, topic, goal):
        if time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            continue
        raise Behind("The read models have not applied all of the log yet; try again when they have.")
    row = conn.execute(statements(_SQL)["set_aside"], {"topic": topic}).fetchone()
    if row is not None and row[0]:
        raise Behind(f"{row[0]} records are set aside; redrive or discard them first.")


def _uploaded(conn: Conn) -> Iterator[UUID]:
    after: UUID | None = None
    while page := conn.execute(statements(_SQL)["uploaded"], {"after": after, "limit": _PAGE}).fetchall():
        yield from (row[0] for row in page)
        after = page[-1][0]


def _plain(report: Report) -> dict[str, Any]:
    return {
        "originals": report.originals,
        "original_bytes": report.original_bytes,
        "others": report.others,
        "other_bytes": report.other_bytes,
        "incoming": report.incoming,
        "incoming_bytes": report.incoming_bytes,
        "young": report.young,
        "removed": report.removed,
        "orphans": [{"key": info.key, "size": info.size} for info in report.orphans],
        "missing": [{"asset_id": str(one.asset_id), "key": one.key} for one in report.missing],
    }


def _tell(report: Report) -> None:
    typer.echo(f"originals: {report.originals}, {report.original_bytes:,} bytes")
    typer.echo(f"variants and beside them: {report.others}, {report.other_bytes:,} bytes")
    typer.echo(f"incoming: {report.incoming}, {report.incoming_bytes:,} bytes")
    said = f", {report.removed} of them removed" if report.removed else ""
    typer.echo(f"orphans: {len(report.orphans)}{said}; too young to tell: {report.young}")
    for info in report.orphans[:_SHOWN]:
        typer.echo(f"  {info.key}")
    typer.echo(f"missing: {len(report.missing)}")
    for one in report.missing[:_SHOWN]:
        typer.echo(f"  {one.key}")

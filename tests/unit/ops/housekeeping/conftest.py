"""Tools over in-memory parts."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from adapters.clock import FixedClock
from adapters.event_log import InMemoryEventLog
from adapters.failpoints import Failpoints
from adapters.object_store import InMemoryObjectStore
from adapters.settings import load_settings
from adapters.subject_keys import InMemorySubjectKeys
from ops.housekeeping.chore import Tools


def no_database() -> NoReturn:
    raise psycopg.OperationalError("a unit test has no database")


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    settings = load_settings({"STATE_DIR": str(tmp_path), "METRICS_PORT": "0"})
    return Tools(
        settings=settings,
        log=InMemoryEventLog(),
        store=InMemoryObjectStore(),
        keys=InMemorySubjectKeys(),
        connect=no_database,
        clock=FixedClock(datetime.now(UTC)),
        failpoints=Failpoints(),
    )

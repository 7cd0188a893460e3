"""What a chore is, and what all of them work with."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psycopg
from confluent_kafka import KafkaException
from psycopg import Connection

from adapters.clock import Clock
from adapters.event_log import AppendFailed, EventLog
from adapters.failpoints import Failpoints
from adapters.object_store import ObjectStore
from adapters.object_store.protocol import StoreError
from adapters.settings import Settings
from adapters.subject_keys import KeyTrouble, SubjectKeys

Conn = Connection[Any]
Done = Mapping[str, int]
"""How much of what was done: `{"expired": 3, "removed": 2}`; few and fixed words, as they label metrics."""

SOURCE: Final = "/ops/housekeeping"

OUTAGES: Final = (AppendFailed, KafkaException, KeyTrouble, StoreError, psycopg.Error)
"""What a turn may raise when something is away: nothing is lost, the next turn does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What chores work with; `connect` gives a connection in autocommit mode, for a thread of its own."""

    settings: Settings
    log: EventLog
    store: ObjectStore
    keys: SubjectKeys
    connect: Callable[[], AbstractContextManager[Conn]]
    clock: Clock
    failpoints: Failpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to do every so often.

    `turn` does what is due and returns. It may be cut anywhere, and done again by another process: what it
    needs to know it reads anew from the read models, the log or the store. It raises one of OUTAGES where
    something is away; anything else is a bug, which is logged and stops no other chore. Blocking calls belong
    into `asyncio.to_thread`.
    """

    name: str
    every: timedelta
    turn: Callable[[], Awaitable[Done]]


Maker = Callable[[Tools], Chore]
"""Makes a chore once a process; connects to nothing."""

"""Where the loop stands in Postgres: its tables, its checkpoints, each made where it is missing."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg

from adapters.settings import KafkaSettings
from projections import checkpoints, operating, read_models, set_aside
from projections.checkpoints import Loop
from projections.database import Database
from projections.outages import Patience
from projections.topic import TopicMissing, describe

_T = TypeVar("_T")


class Ground:
    """Finds and makes the ground to stand on; after trouble in the database nothing is taken for granted."""

    def __init__(self, *, loop: Loop, kafka: KafkaSettings, database: Database, patience: Patience) -> None:
        self.loop = loop
        self._kafka = kafka
        self._database = database
        self._patience = patience
        self._shaken = False

    def open(self, partitions: Sequence[int]) -> dict[int, int]:
        """The next offset of each partition, waited for, whatever has to be made or asked for it.

        Raises what says that log and rows don't belong together (Diverged, TopicReplaced, WrongPartitions),
        and Stopping.
        """
        topic = self._patience.until_done("log", lambda: describe(self._kafka, self.loop.topic), TopicMissing)
        return self._patience.until_done("read models", lambda: self._open(partitions, topic.topic_id))

    def find(self, partitions: Sequence[int]) -> dict[int, int]:
        """The next offset of each partition as it stands now; raises psycopg.Error."""
        if self._shaken:
            return self._open(partitions, None)
        return self._on(lambda conn: checkpoints.read_positions(conn, self.loop, partitions))

    def quarantined(self) -> int:
        """How many records are set aside; raises psycopg.Error."""
        return self._on(lambda conn: set_aside.count(conn, self.loop))

    def say_alive(self, partitions: Sequence[int]) -> None:
        """Says that these partitions are being followed; raises psycopg.Error."""
        self._on(lambda conn: checkpoints.say_alive(conn, self.loop, partitions))

    @property
    def shaken(self) -> bool:
        """Whether something went wrong with the database since the ground was last found whole."""
        return self._shaken

    def shake(self) -> None:
        """Something went wrong: the connection is given up, tables and checkpoints will be looked for."""
        self._shaken = True
        self._database.drop()

    def _open(self, partitions: Sequence[int], topic_id: str | None) -> dict[int, int]:
        def act(conn: psycopg.Connection[Any]) -> dict[int, int]:
            read_models.install(conn, self.loop.models)
            operating.make_good(conn, self.loop)
            return checkpoints.open_positions(conn, self.loop, partitions, topic_id)

        found = self._on(act)
        self._shaken = False
        return found

    def _on(self, act: Callable[[psycopg.Connection[Any]], _T]) -> _T:
        try:
            return act(self._database.connection())
        except psycopg.Error:
            self.shake()
            raise

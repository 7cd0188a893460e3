"""Somebody who reads on while read models are rebuilt and exchanged."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.integration.projections.live import LiveLog


class Reader:
    """Counts the assets again and again; `found` has each number that was another than the one before."""

    def __init__(self, live: LiveLog) -> None:
        self._live = live
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.found: list[int] = []
        self.failed: list[str] = []
        self.reads = 0

    def _run(self) -> None:
        try:
            with self._live.connect() as conn:
                while not self._stop.wait(0.005):
                    ((count,),) = conn.execute("select count(*) from live.assets").fetchall()
                    if self.found[-1:] != [count]:
                        self.found.append(count)
                    self.reads += 1
        except psycopg.Error as error:
            self.failed.append(repr(error))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)


@contextmanager
def reading(live: LiveLog) -> Iterator[Reader]:
    """Reads while the block runs; fails where a read failed, or found fewer rows than one before."""
    reader = Reader(live)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()
    assert reader.failed == []
    assert reader.reads > 0
    assert reader.found == sorted(reader.found)

"""Live streams over the real feed: heard, cut, resumed, ended."""

import json
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.integration.api.running import ADA, BEN, RunningDoors
from tests.programs import asked

PATIENCE_SECONDS = 60.0


class Listener:
    """A stream read in a thread: `heard` holds (id, data)."""

    def __init__(self, doors: RunningDoors, key: str = ADA, last_id: str | None = None) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.last_id = last_id or ""
        self.closed = threading.Event()
        self._over = False
        headers = {"Last-Event-ID": last_id} if last_id else {}
        self._client = doors.client(key)
        self._headers = headers
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_for(lambda: bool(self.last_id) or self.closed.is_set())

    def _read(self) -> None:
        try:
            with self._client.stream(
                "GET", "/v1/notifications/stream", headers=self._headers, timeout=30
            ) as answer:
                data = ""
                for line in answer.iter_lines():
                    if self._over:
                        return
                    if line.startswith("id: "):
                        self.last_id = line[4:]
                    elif line.startswith("data: "):
                        data = line[6:]
                    elif not line and data:
                        self.heard.append((self.last_id, json.loads(data)))
                        data = ""
        except (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError):
            pass
        finally:
            self.closed.set()

    def cut(self) -> None:
        """Leaves without a word; at the next heartbeat at the latest."""
        self._over = True
        self._thread.join(5)
        assert not self._thread.is_alive()

    def uploaded(self) -> list[str]:
        return [data["asset_id"] for _, data in self.heard if data["type"] == "asset.uploaded"]


def wait_for(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def upload(doors: RunningDoors, key: str = ADA) -> str:
    answer = doors.upload(key)
    assert answer.status_code == 202, answer.text
    asset_id: str = answer.json()["asset_id"]
    return asset_id


def test_owners_hear_of_their_own_and_resume_after_a_cut(doors: RunningDoors) -> None:
    hers, his = Listener(doors), Listener(doors, BEN)
    before = upload(doors)
    wait_for(lambda: hers.uploaded() == [before])
    hers.cut()
    missed = [upload(doors) for _ in range(5)]
    again = Listener(doors, last_id=hers.last_id)
    after = upload(doors)
    wait_for(lambda: after in again.uploaded())
    assert sorted(again.uploaded()) == sorted([*missed, after])
    assert his.heard == []
    again.cut()
    his.cut()


def test_s03_streams_resume_after_the_api_was_killed(doors: RunningDoors) -> None:
    first = Listener(doors)
    before = upload(doors)
    wait_for(lambda: first.uploaded() == [before])
    between = [upload(doors) for _ in range(3)]
    doors.api.kill()
    wait_for(first.closed.is_set)
    doors.api.restart()
    doors.wait_ready()
    second = Listener(doors, last_id=first.last_id)
    after = upload(doors)
    wait_for(lambda: after in second.uploaded())
    heard = first.uploaded() + second.uploaded()
    assert sorted(heard) == sorted([before, *between, after])
    second.cut()


def test_sigterm_ends_streams_politely_and_the_process_with_zero(doors: RunningDoors) -> None:
    listener = Listener(doors)
    doors.api.send(signal.SIGTERM)
    assert doors.api.process.wait(30) == 0
    wait_for(listener.closed.is_set)
    assert [data["type"] for _, data in listener.heard] == ["reconnect"]
    doors.api.restart()
    doors.wait_ready()


def test_s01_a_flood_of_broken_streams_leaves_no_place_taken(doors: RunningDoors) -> None:
    for _ in range(60):
        with doors.client().stream("GET", "/v1/notifications/stream") as answer:
            if answer.status_code != 200:
                time.sleep(0.05)
    metrics = f"{doors.api.metrics_url}/metrics"
    wait_for(lambda: "darkroom_sse_streams 0.0" in asked(metrics).text)
    listener = Listener(doors)
    assert not listener.closed.is_set()
    listener.cut()

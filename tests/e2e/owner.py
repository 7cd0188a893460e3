"""A client as an owner would write one: uploads, follow-ups and the live stream, over plain HTTP."""

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.programs import PLAIN

PATIENCE_SECONDS = 60.0


@dataclass
class Owner:
    """One caller with a static key; `seen` keeps the status code of every follow-up that was made."""

    url: str
    key: str
    seen: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30.0, verify=PLAIN
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        answer = self.http.get(path, **options)
        self.seen.append((path, answer.status_code))
        return answer

    def upload_form(self, photograph: bytes, file_name: str = "photo.jpg", **words: str) -> dict[str, Any]:
        files = {"file": (file_name, photograph, "image/jpeg")}
        answer = self.http.post("/v1/uploads?duplicate=allow", files=files, data=words)
        assert answer.status_code == 202, answer.text
        accepted: dict[str, Any] = answer.json()
        return accepted

    def presign(self, photograph: bytes, **fields: Any) -> dict[str, Any]:
        body = {"file_name": "photo.jpg", "content_type": "image/jpeg", "size": len(photograph), **fields}
        answer = self.http.post("/v1/uploads/presign", json=body)
        assert answer.status_code == 201, answer.text
        granted: dict[str, Any] = answer.json()
        return granted

    def complete(self, granted: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(
            "/v1/uploads/complete?duplicate=allow", json={"upload_token": granted["upload_token"]}
        )
        assert answer.status_code == 202, answer.text
        accepted: dict[str, Any] = answer.json()
        return accepted

    def wait(self, accepted: dict[str, Any], status: str = "ready") -> dict[str, Any]:
        """Follows `status_url` until the asset is `status`; gives its detail."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        state: dict[str, Any] = {}
        while time.monotonic() < deadline:
            answer = self.get(accepted["status_url"])
            assert answer.status_code == 200, answer.text
            state = answer.json()
            if state["status"] == status:
                detail: dict[str, Any] = self.get(f"/v1/assets/{accepted['asset_id']}").json()
                return detail
            time.sleep(0.05)
        raise AssertionError(f"still {state} after {PATIENCE_SECONDS} s")


def send_direct(granted: dict[str, Any], photograph: bytes) -> httpx.Response:
    """Uploads straight to the store, as the presigned POST says."""
    assert granted["method"] == "POST"
    return httpx.post(granted["url"], data=granted["fields"], files={"file": photograph}, timeout=30.0)


class Stream:
    """The owner's live stream, read in a thread; `entries` grows with (id, data), heartbeats left out."""

    def __init__(self, owner: Owner, last_event_id: str | None = None) -> None:
        self.entries: list[tuple[str, dict[str, Any]]] = []
        self.last_id = last_event_id
        self._open = threading.Event()
        self._client = httpx.Client(base_url=owner.url, timeout=httpx.Timeout(5.0, read=30.0), verify=PLAIN)
        headers = {"Authorization": f"Bearer {owner.key}"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self._headers = headers
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._open.wait(60), "the stream did not open"
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Breaks the connection without a word."""
        self._client.close()

    def _read(self) -> None:
        with (
            contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError, RuntimeError),
            self._client.stream("GET", "/v1/notifications/stream", headers=self._headers) as answer,
        ):
            assert answer.status_code == 200
            identifier, data = "", []
            for line in answer.iter_lines():
                self._open.set()
                if line.startswith("id:"):
                    identifier = line[3:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
                elif not line and (identifier or data):
                    self._deliver(identifier, "\n".join(data))
                    identifier, data = "", []

    def _deliver(self, identifier: str, data: str) -> None:
        if identifier:
            self.last_id = identifier
        if data and data != "{}":
            entry = json.loads(data)
            if entry.get("asset_id"):
                self.entries.append((identifier, entry))

    def wait_for(self, kind: str, asset_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The first entry of this type for this asset."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for _, entry in list(self.entries):
                if entry["type"] == kind and entry["asset_id"] == asset_id:
                    return entry
            time.sleep(0.02)
        raise AssertionError(f"no {kind} for {asset_id} in {self.entries}")

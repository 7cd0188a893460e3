"""A whole way through the doors, as a program goes it: python client.py photo.jpg large.jpg

Needs httpx, and in the environment DARKROOM_URL, EMAIL and PASSWORD; nothing of Darkroom is imported.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

PATIENCE = 120.0


class Refused(Exception):
    """A door said no; `problem["type"]` says why, and is what to compare."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem['type']}: {problem['title']} {problem.get('errors', '')}")
        self.problem = problem

    @property
    def kind(self) -> str:
        return str(self.problem["type"]).removeprefix("/problems/")


class Darkroom:
    """One person's way in: adds the token, renews it, and repeats what may be repeated."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=30.0, follow_redirects=True)
        self.tokens: dict[str, Any] = {}
        self._who = {"email": email, "password": password}

    def enter(self) -> None:
        """Registers; whoever has an account already logs in."""
        try:
            self.tokens = self.call("POST", "/v1/auth/register", json=self._who).json()
        except Refused as refused:
            if refused.kind != "address-taken":
                raise
            self.tokens = self.call("POST", "/v1/auth/login", json=self._who).json()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """The answer; raises Refused. A write has a key, so that its repetition takes effect once."""
        headers = dict(options.pop("headers", {}))
        if method != "GET":
            headers.setdefault("Idempotency-Key", str(uuid4()))
        deadline, renewed = time.monotonic() + PATIENCE, False
        while True:
            answer, wait = None, 1.0
            try:
                answer = self.http.request(method, path, headers={**headers, **self.credential()}, **options)
                if answer.is_success:
                    return answer
                wait = float(answer.headers.get("Retry-After", "0"))
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            if answer is not None:
                refused = Refused(answer.json())
                if refused.kind == "unauthenticated" and self.tokens and not renewed:
                    self.renew()
                    renewed = True
                elif answer.status_code not in {429, 503} or time.monotonic() + wait > deadline:
                    raise refused
            time.sleep(wait)

    def credential(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"} if self.tokens else {}

    def renew(self) -> None:
        """An access token is good for minutes; the refresh token gives the next, and its own successor."""
        answer = self.http.post("/v1/auth/refresh", json={"refresh_token": self.tokens["refresh_token"]})
        if not answer.is_success:
            raise Refused(answer.json())
        self.tokens = {**self.tokens, **answer.json()}

    def entries(self, after: str) -> Iterator[dict[str, Any]]:
        """Everything that happens to one's assets after a position, without end, gap or double."""
        retry, deadline = 1.0, time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with self.http.stream(
                    "GET", "/v1/notifications/stream", headers={"Last-Event-ID": after, **self.credential()}
                ) as stream:
                    if stream.status_code == 401:
                        self.renew()
                    for line in stream.iter_lines() if stream.is_success else ():
                        field, _, value = line.partition(": ")
                        if field == "id":
                            after = value
                        elif field == "retry":
                            retry = int(value) / 1000
                        elif field == "data":
                            yield json.loads(value)
            except httpx.TransportError as cut:
                print("the stream was cut, and goes on:", type(cut).__name__)
            time.sleep(retry)

    def wait_ready(self, accepted: httpx.Response) -> dict[str, Any]:
        """Hears of the upload until its asset is ready; gives the details."""
        asset, after = accepted.json()["asset_id"], accepted.headers["Darkroom-Position"]
        if accepted.json()["status"] == "ready":  # a duplicate of what is there
            return self.details(asset, after)
        for entry in self.entries(after):
            if entry["type"] == "reset":  # too much was missed to be told: look
                status = self.call("GET", accepted.json()["status_url"]).json()["status"]
                entry = {"asset_id": asset, "type": f"asset.{status}", "position": after}
            if entry["asset_id"] == asset and entry["type"] == "asset.ready":
                return self.details(asset, entry["position"])
            if entry["asset_id"] == asset and entry["type"] == "asset.failed":
                raise SystemExit(f"{asset} failed: {self.details(asset, entry['position'])['error']}")
        raise SystemExit(f"{asset} is not ready after {PATIENCE:.0f} s")

    def details(self, asset: str, after: str) -> dict[str, Any]:
        """What is known of it, with everything up to that position."""
        found: dict[str, Any] = self.call("GET", f"/v1/assets/{asset}", params={"after": after}).json()
        return found


def by_form(darkroom: Darkroom, photo: Path) -> httpx.Response:
    return darkroom.call(
        "POST",
        "/v1/uploads",
        files={"file": (photo.name, photo.read_bytes(), "image/jpeg")},
        data={"title": "Harbour", "tags": "sea, boats"},
    )


def by_presign(darkroom: Darkroom, photo: Path) -> httpx.Response:
    said = {"file_name": photo.name, "content_type": "image/jpeg", "size": photo.stat().st_size}
    granted = darkroom.call("POST", "/v1/uploads/presign", json=said).json()
    # To the store, not to a door: no credential of ours goes there, and the file comes last.
    sent = httpx.post(granted["url"], data=granted["fields"], files={"file": photo.read_bytes()})
    sent.raise_for_status()
    return complete(darkroom, granted)


def complete(darkroom: Darkroom, granted: dict[str, Any], **query: str) -> httpx.Response:
    token = {"upload_token": granted["upload_token"]}
    return darkroom.call("POST", "/v1/uploads/complete", params=query, json=token)


def send_part(photo: Path, part: dict[str, Any], part_size: int) -> None:
    with photo.open("rb") as file:
        file.seek((part["number"] - 1) * part_size)
        httpx.put(part["url"], content=file.read(part["size"]), timeout=60.0).raise_for_status()


def go_on(darkroom: Darkroom, photo: Path, kept: dict[str, Any]) -> httpx.Response:
    """Sends what the store has not, however far an earlier program came. `kept` is all that it left."""
    headers = {"Upload-Token": kept["upload_token"]}
    path = f"/v1/uploads/{kept['upload_id']}/parts"
    while missing := (state := darkroom.call("GET", path, headers=headers).json())["missing"]:
        print(f"{len(state['arrived'])} of {state['part_count']} parts have arrived")
        wanted = {"parts": missing[:100]}
        for part in darkroom.call("POST", path, headers=headers, json=wanted).json()["parts"]:
            send_part(photo, part, state["part_size"])
    return complete(darkroom, kept, duplicate="allow")


def in_parts(darkroom: Darkroom, photo: Path) -> httpx.Response:
    said = {"file_name": photo.name, "content_type": "image/jpeg", "size": photo.stat().st_size}
    granted = darkroom.call("POST", "/v1/uploads/multipart", json=said).json()
    kept = json.dumps({name: granted[name] for name in ("upload_id", "upload_token")})  # in a file, say
    send_part(photo, granted["parts"][0], granted["part_size"])
    # Here the line is cut, and the program ends. The next one has nothing but what was kept:
    return go_on(darkroom, photo, json.loads(kept))


def edit(darkroom: Darkroom, path: str) -> None:
    """Changes a title only as it was read; whoever was second reads again and decides anew."""
    seen = darkroom.call("GET", path)
    etag = {"If-Match": seen.headers["ETag"]}
    changed = darkroom.call("PATCH", path, json={"title": "Harbour at noon"}, headers=etag)
    try:
        darkroom.call("PATCH", path, json={"title": "Another's"}, headers=etag)
    except Refused as refused:
        print("a second edit of the same version:", refused.kind)
    after = {"after": changed.headers["Darkroom-Position"]}
    now = darkroom.call("GET", path, params=after)
    print("titled:", now.json()["title"])
    same = darkroom.http.get(path, headers={"If-None-Match": now.headers["ETag"], **darkroom.credential()})
    print("read again, unchanged:", same.status_code)


def trash(darkroom: Darkroom, path: str) -> None:
    gone = darkroom.call("DELETE", path)
    query = {"deleted": "true", "after": gone.headers["Darkroom-Position"]}
    print("in the trash:", len(darkroom.call("GET", "/v1/assets", params=query).json()["items"]))
    darkroom.call("POST", f"{path}/restore")


def share(darkroom: Darkroom, path: str) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    said = {"variant": "small", "expires_at": tomorrow}
    link = darkroom.call("POST", f"{path}/links", json=said).json()
    address = darkroom.http.base_url.join(link["url"])
    print("shared, bytes:", len(httpx.get(address, follow_redirects=True).raise_for_status().content))
    revoked = darkroom.call("DELETE", f"{path}/links/{link['id']}")
    listed = {"after": revoked.headers["Darkroom-Position"]}
    darkroom.call("GET", f"{path}/links", params=listed)  # the doors have heard of it
    print("revoked:", httpx.get(address).status_code)


def follow_a_run(darkroom: Darkroom) -> None:
    """Has everything made again, in the background, and looks how far that is."""
    started = darkroom.call("POST", "/v1/runs", json={"kind": "regenerate"}).json()
    deadline = time.monotonic() + PATIENCE
    while (run := darkroom.call("GET", started["status_url"]).json())["ended_at"] is None:
        if time.monotonic() > deadline:
            raise SystemExit(f"the run is not over: {run['counts']}")
        time.sleep(0.3)
    print("run:", run["status"], run["counts"]["completed"])


def titles(darkroom: Darkroom) -> Iterator[str | None]:
    """Of all that is ready, page by page; uploads that were called off are `expired`, and listed too."""
    query = {"limit": "1", "status": "ready", "sort": "-uploaded"}
    while True:
        page = darkroom.call("GET", "/v1/assets", params=query).json()
        yield from (asset["title"] or asset["file_name"] for asset in page["items"])
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def main(photo: Path, large: Path) -> None:
    darkroom = Darkroom(os.environ["DARKROOM_URL"], os.environ["EMAIL"], os.environ["PASSWORD"])
    darkroom.enter()
    asset = darkroom.wait_ready(by_form(darkroom, photo))
    print("by form:", asset["status"], sorted(asset["variants"]))
    again = by_presign(darkroom, photo)
    print("the same bytes by presign:", again.status_code, "duplicate:", again.json()["duplicate"])
    print("in parts:", darkroom.wait_ready(in_parts(darkroom, large))["status"])
    path = f"/v1/assets/{asset['id']}"
    print("small, bytes:", len(darkroom.call("GET", f"{path}/variants/small").content))
    print("original, bytes:", len(darkroom.call("GET", f"{path}/download").content))
    edit(darkroom, path)
    trash(darkroom, path)
    share(darkroom, path)
    follow_a_run(darkroom)
    print("all:", sorted(str(title) for title in titles(darkroom)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

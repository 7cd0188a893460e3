"""`python -m ops seed`: fills a running stack with accounts and drawn pictures, to play with."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.progress import Progress

from ops.seed_pictures import Pictures, Words
from ops.waiting import UNREACHABLE, WRONG, Json, leave

PASSWORD: Final = "a lake in the evening"
_READY_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """Somebody with pictures, and how many of them are ready."""

    address: str
    password: str
    pictures: int
    ready: int


def command(
    users: Annotated[int, typer.Option("--users", min=1, max=1000, help="Accounts to make.")] = 3,
    images: Annotated[int, typer.Option("--images", min=0, max=10_000, help="Pictures for each.")] = 12,
    password: Annotated[str, typer.Option("--password", help="What they log in with.")] = PASSWORD,
    seed: Annotated[int, typer.Option("--seed", help="Another number, other pictures.")] = 1,
    as_data: Json = False,
) -> None:
    """Make accounts and upload drawn pictures with titles and tags, by the doors, as any client would.

    DARKROOM_URL says where. Accounts that are there already get more pictures. Exit code: 0, 1 where the
    doors can't be reached, 3 where they refuse or a picture is not ready in time.
    """
    if not (url := os.environ.get("DARKROOM_URL")):
        leave("Set DARKROOM_URL first, for example by: . .darkroom/env", code=WRONG)
    try:
        with Progress(console=Console(stderr=True), disable=as_data) as progress:
            task = progress.add_task("pictures", total=users * images)
            seeded = []
            for number in range(1, users + 1):
                address = f"player-{number:03}@example.org"
                with httpx.Client(base_url=url, timeout=30.0) as client:
                    _enter(client, address, password)
                    accepted = []
                    for picture, words in _pictures(seed, number, images):
                        accepted.append(_upload(client, picture, words))
                        progress.advance(task)
                    ready = sum(_ready(client, one["status_url"]) for one in accepted)
                seeded.append(Seeded(address=address, password=password, pictures=images, ready=ready))
    except httpx.TransportError as error:
        leave(f"The doors can't be reached: {error}.", code=UNREACHABLE)
    _say(seeded, as_data=as_data)
    if any(one.ready < one.pictures for one in seeded):
        leave("Not every picture is ready.", code=WRONG)


def _pictures(seed: int, number: int, images: int) -> Iterator[tuple[bytes, Words]]:
    return Pictures(seed * 1_000 + number).some(images)


def _enter(client: httpx.Client, address: str, password: str) -> None:
    """Registers, or logs in where the address is known; the client is that person from then on."""
    body = {"email": address, "password": password}
    answer = client.post("/v1/auth/register", json=body)
    if answer.status_code == httpx.codes.CONFLICT:
        answer = client.post("/v1/auth/login", json=body)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        leave("There were too many registrations from here; set RATE_REGISTRATIONS=off.", code=WRONG)
    client.headers["Authorization"] = f"Bearer {_body(answer)['access_token']}"


def _upload(client: httpx.Client, picture: bytes, words: Words) -> dict[str, Any]:
    files = {"file": (words.file_name, picture, "image/jpeg")}
    data = {"title": words.title, "tags": ", ".join(words.tags)}
    while True:
        answer = client.post("/v1/uploads?duplicate=allow", files=files, data=data)
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return _body(answer)
        time.sleep(float(answer.headers.get("Retry-After", "1")))


def _ready(client: httpx.Client, status_url: str) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        answer = client.get(status_url)
        if answer.status_code == httpx.codes.OK and answer.json()["status"] in {"ready", "failed"}:
            return bool(answer.json()["status"] == "ready")
        time.sleep(_LOOK_SECONDS)
    return False


def _body(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        leave(f"{answer.request.url.path} answered {answer.status_code}: {answer.text}", code=WRONG)
    body: dict[str, Any] = answer.json()
    return body


def _say(seeded: list[Seeded], *, as_data: bool) -> None:
    if as_data:
        typer.echo(json.dumps([asdict(one) for one in seeded]))
        return
    for one in seeded:
        typer.echo(f"{one.address}  {one.password!r}: {one.ready} of {one.pictures} pictures ready")

"""Takes one photograph through the running pipeline, as any client would, and shows what came out."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from ops.sample_photograph import draw
from ops.sample_report import print_report

READY_SECONDS = 60.0
POLL_SECONDS = 0.05


class SampleFailed(Exception):
    """The photograph did not come out; the text says where it stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One leg of the way and how long it took, in milliseconds."""

    name: str
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came out: the asset as the API tells it, the steps, and the thumbnail's bytes."""

    asset: dict[str, Any]
    steps: tuple[Step, ...]
    thumbnail: bytes


def take(url: str, key: str, photograph: bytes, file_name: str) -> Outcome:
    """Uploads by the form, follows the answer's links until ready, and downloads every variant.

    Raises SampleFailed when a call is refused or the asset does not become ready within a minute.
    """
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30.0) as client:
        started = time.perf_counter()
        files = {"file": (file_name, photograph, "application/octet-stream")}
        door = "/v1/uploads?duplicate=allow"  # the same photograph at every start
        accepted = _expect(client.post(door, files=files, data={"title": "Sample photograph"}), 202)
        steps = [_step("uploaded by the form, both events acknowledged", started)]
        waited = time.perf_counter()
        _wait_until_ready(client, accepted["status_url"])
        ready = _step("from there until the API says ready", waited)
        asset = _expect(client.get(f"/v1/assets/{accepted['asset_id']}"), 200)
        job = _expect(client.get(f"/v1/jobs/{accepted['job_id']}"), 200)
    steps += [*_job_steps(job), ready]
    fetched = time.perf_counter()
    bodies = {name: _download(variant["url"]) for name, variant in asset["variants"].items()}
    steps.append(_step(f"downloaded by their URLs: {sum(map(len, bodies.values())):,} bytes", fetched))
    return Outcome(asset=asset, steps=tuple(steps), thumbnail=bodies.get("thumbnail", b""))


def run_sample(env: Mapping[str, str], *, as_json: bool = False, photograph: Path | None = None) -> int:
    """The sample step of `make up`: 0 when every variant came out, 1 otherwise, said in a sentence.

    `env` needs DARKROOM_URL and API_KEYS, as `.darkroom/env` holds them. Without a `photograph` the
    project draws its own.
    """
    try:
        key = env["API_KEYS"].split(",")[0].split(":")[0]
        started = time.perf_counter()
        original = photograph.read_bytes() if photograph else draw()
        first = _step(
            "read from disk" if photograph else "drawn: 12 megapixels, with EXIF and a profile", started
        )
        outcome = take(env["DARKROOM_URL"], key, original, photograph.name if photograph else "sample.jpg")
    except (SampleFailed, httpx.HTTPError, OSError) as error:
        Console(stderr=True).print(f"The photograph did not come out: {error}", style="red", soft_wrap=True)
        return 1
    steps = (first, *outcome.steps)
    if as_json:
        print(json.dumps({"asset": outcome.asset, "steps": [asdict(step) for step in steps]}))
    else:
        rows = [(step.name, step.milliseconds) for step in steps]
        print_report(Console(highlight=False), outcome.asset, rows, outcome.thumbnail)
    return 0


def command(
    photograph: Annotated[
        Path | None, typer.Argument(help="A photograph of yours instead of the drawn one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the asset and the steps as JSON.")] = False,
) -> None:
    """Take a photograph through the running pipeline; addresses come from the environment."""
    missing = [name for name in ("DARKROOM_URL", "API_KEYS") if not os.environ.get(name)]
    if missing:
        Console(stderr=True).print(f"Set {' and '.join(missing)} first, for example by: . .darkroom/env")
        raise typer.Exit(2)
    raise typer.Exit(run_sample(os.environ, as_json=as_json, photograph=photograph))


def _job_steps(job: Mapping[str, Any]) -> list[Step]:
    """The legs inside the pipeline, by the times of the events themselves."""
    queued, begun, finished = (
        datetime.fromisoformat(job[name]) for name in ("queued_at", "started_at", "finished_at")
    )
    return [
        Step(name="  waited for a worker", milliseconds=_between(queued, begun)),
        Step(name="  decoded, resized, encoded and stored", milliseconds=_between(begun, finished)),
    ]


def _wait_until_ready(client: httpx.Client, status_url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        status = _expect(client.get(status_url), 200)
        if status["status"] == "ready":
            return
        if status["status"] == "failed":
            raise SampleFailed(f"the worker failed it: {status['error']}")
        time.sleep(POLL_SECONDS)
    raise SampleFailed(
        f"it was not ready after {READY_SECONDS:.0f} s; `python -m ops stack status` shows who is not well"
    )


def _download(url: str) -> bytes:
    answer = httpx.get(url, timeout=30.0)
    if answer.status_code != 200:
        raise SampleFailed(f"a variant's URL answered {answer.status_code}")
    return answer.content


def _expect(answer: httpx.Response, code: int) -> dict[str, Any]:
    if answer.status_code != code:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise SampleFailed(f"{asked} answered {answer.status_code}: {answer.text[:300]}")
    body: dict[str, Any] = answer.json()
    return body


def _step(name: str, started: float) -> Step:
    return Step(name=name, milliseconds=round((time.perf_counter() - started) * 1000, 1))


def _between(earlier: datetime, later: datetime) -> float:
    return round((later - earlier).total_seconds() * 1000, 1)

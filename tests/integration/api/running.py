"""Starts the doors and the projector, and asks them as owners do."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.programs import PLAIN, Program, running
from tests.servers import World

ADA, BEN = "ada-key-0123456789abcdef", "ben-key-0123456789abcdef"
JPEG = b"\xff\xd8\xff\xe0" + b"no real picture, but nobody looks here" * 50


@dataclass
class RunningDoors:
    """One running API with its projector."""

    world: World
    api: Program
    projector: Program
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.world.env["DARKROOM_URL"]

    def client(self, key: str = ADA, **options: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"}
        made = httpx.Client(base_url=self.url, headers=headers, timeout=15.0, verify=PLAIN, **options)
        self.clients.append(made)
        return made

    def upload(
        self, key: str = ADA, data: bytes = JPEG, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        files = {"file": ("harbour.jpg", data, "image/jpeg")}
        return self.client(key).post("/v1/uploads?duplicate=allow", files=files, headers=headers)

    def wait_ready(self) -> None:
        self.api.wait_ready(f"{self.url}/readyz")
        self.projector.wait_ready()


@contextlib.contextmanager
def open_doors(world: World, **overrides: str) -> Iterator[RunningDoors]:
    """Lays the ground and opens; everything is stopped at the block's end."""
    world.env["API_KEYS"] = f"{ADA}:ada:user,{BEN}:ben:user"
    world.lay_ground()
    env = {**world.env, "SSE_HEARTBEAT": "0.5", **overrides}
    api, projector = Program(["api"], env, world.folder), Program(["projections"], env, world.folder)
    with running(projector, api):
        opened = RunningDoors(world=world, api=api, projector=projector)
        opened.wait_ready()
        try:
            yield opened
        finally:
            for client in opened.clients:
                client.close()

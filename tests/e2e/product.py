"""The whole product under test: API, worker and projector as processes of their own on a world's servers."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.owner import Owner
from tests.programs import Program, running
from tests.servers import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One running product and what a test may do to its parts."""

    world: World
    api: Program
    worker: Program
    projector: Program
    owners: list[Owner] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.world.env["DARKROOM_URL"]

    def owner(self, name: str) -> Owner:
        """A client with the demo key of this owner."""
        for entry in self.world.env["API_KEYS"].split(","):
            key, owner, *_ = entry.split(":")
            if owner == name:
                return self.caller(key)
        raise LookupError(name)

    def caller(self, key: str) -> Owner:
        """A client with this key, closed when the product ends."""
        self.owners.append(Owner(self.url, key))
        return self.owners[-1]

    def wait_ready(self) -> None:
        self.api.wait_ready(f"{self.url}/readyz")
        self.projector.wait_ready()
        self.worker.wait_ready()

    def revive(self) -> None:
        """Starts again what left, as the supervisor would, and waits until all are ready."""
        for program in (self.api, self.worker, self.projector):
            if not program.alive():
                assert program.process.returncode > 0, f"{program.name} did not leave, it was torn down"
                program.restart()
        self.wait_ready()

    def logs(self) -> str:
        return "\n".join(program.output() for program in (self.api, self.worker, self.projector))


@contextlib.contextmanager
def running_product(world: World, folder: Path, **overrides: str) -> Iterator[Product]:
    """Lays the ground, starts the three processes, waits until they are ready, stops them at the end."""
    world.lay_ground()
    env = {**world.env, **overrides}
    api = Program(["api"], env, folder)
    worker = Program(["processors", "variants"], {**env, "WORKER_SLOT": "0"}, folder)
    projector = Program(["projections"], env, folder)
    with running(projector, worker, api):
        product = Product(world=world, api=api, worker=worker, projector=projector)
        try:
            product.wait_ready()
            yield product
        finally:
            for owner in product.owners:
                owner.http.close()

"""A change of presets over many assets: no upload waits for it, it survives kills, it is taken back at once.

One story in order, as each part begins where the one before it ended. RUN_IMAGES=500 makes it long.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from typer.testing import CliRunner

from adapters.object_store import S3ObjectStore
from adapters.telemetry import Metrics
from ops.__main__ import commands
from tests.e2e.examples import told
from tests.e2e.owner import Owner
from tests.e2e.product import Product
from tests.photographs import photograph
from tests.programs import Program, running

IMAGES: Final = int(os.environ.get("RUN_IMAGES", "14"))
OUTSTANDING: Final = 6
PATIENCE: Final = 120.0 + IMAGES
FEWER: Final = [
    {"name": "medium", "width": 1024, "height": 1024, "fit": "contain", "formats": ["auto"], "quality": 80},
    {"name": "thumbnail", "width": 150, "height": 150, "fit": "cover", "formats": ["auto"], "quality": 70},
]


class Bulk:
    """The two processes that a run needs beside the product, and the commands that steer it."""

    def __init__(self, product: Product, worker: Program, house: Program, presets: Path) -> None:
        self.product, self.worker, self.house, self.presets = product, worker, house, presets

    def ops(self, *words: str, **env: str) -> Any:
        """A command's answer."""
        environ = {**self.house.env, "METRICS_PORT": "0", **env}
        done = CliRunner().invoke(commands(words[0]), [*words, "--json"], env=environ)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def rows(self, statement: bytes, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.house.env["DATABASE_URL"], autocommit=True) as conn:
            return conn.execute(statement, parameters).fetchall()

    def until(self, met: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not met():
            assert time.monotonic() < deadline, f"{what}: {self.house.output()[-3000:]}"
            time.sleep(0.1)

    def run(self, run_id: str) -> Any:
        return self.ops("runs", "show", run_id)

    def over(self, run_id: str) -> None:
        counted = b"select counts is not null from live.runs where run_id = %s"
        self.until(lambda: self.rows(counted, run_id) == [(True,)], "the run is not over")

    def served(self) -> dict[str, int]:
        return dict(self.rows(b"select preset_set, count(*) from live.assets group by 1"))

    def objects(self) -> set[str]:
        """The keys of all variants and manifests in the store."""
        return asyncio.run(self._objects())

    async def _objects(self) -> set[str]:
        store = S3ObjectStore(self.product.world.settings("look").store, metrics=Metrics().store)
        try:
            return {info.key async for info in store.list("assets/") if "/variants/" in info.key}
        finally:
            await store.close()

    def under_way(self) -> int:
        counted = b"select count(*) from live.jobs where run_id is not null and state in ('queued', 'active')"
        return int(self.rows(counted)[0][0])


@contextmanager
def frozen(program: Program) -> Iterator[None]:
    """Nothing moves in the program inside."""
    os.killpg(program.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(program.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def bulk(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bulk]:
    """Uploads that are ready, and a second preset set in a file."""
    folder = tmp_path_factory.mktemp("bulk")
    env = {**product.world.env, "WORKER_SLOT": "0", "WORKER_CHILDREN": "1"}
    env |= {"RUNS_OUTSTANDING": str(OUTSTANDING)}
    worker = Program(["processors", "variants", "--lane", "bulk"], env, folder)
    house = Program(["ops", "housekeeping", "run"], env, folder)
    presets = folder / "presets.json"
    presets.write_text(json.dumps(FEWER))
    with running(worker, house):
        ada = product.owner("ada")
        accepted = [ada.upload_form(photograph(320, 240, tint=number)) for number in range(IMAGES)]
        for each in accepted:
            ada.wait(each)
        worker.wait_ready()
        house.wait_ready()
        yield Bulk(product, worker, house, presets)


def ready_again(ada: Owner) -> dict[str, Any]:
    return ada.wait(ada.upload_form(photograph(320, 240, tint=9_999)))


def test_r31_no_upload_waits_behind_a_run_and_the_run_survives_a_kill(bulk: Bulk) -> None:
    (before,) = bulk.served()
    planned = bulk.ops("presets", "plan", str(bulk.presets))
    assert (planned["assets"], planned["renders"], planned["standing"]) == (IMAGES, 2 * IMAGES, 0)
    assert planned["cpu_seconds"] > 0
    assert planned["bytes"] > 0
    with frozen(bulk.worker):
        started = bulk.ops("presets", "apply", str(bulk.presets))
        bulk.until(lambda: bulk.under_way() == OUTSTANDING, "the run has not begun")
        # Everything that the run may ask for waits, and nobody works on it: an upload is ready all the same.
        assert ready_again(bulk.product.owner("ada"))["variants"].keys() == {
            "medium",
            "thumbnail",
            "original",
        }
        assert bulk.under_way() == OUTSTANDING
        bulk.house.kill()
    bulk.house.restart()
    bulk.over(started["run_id"])
    run = bulk.run(started["run_id"])
    assert run["status"] == "completed"
    assert {name: run["counts"][name] for name in ("requested", "completed", "failed", "skipped")} == {
        "requested": IMAGES,
        "completed": IMAGES,
        "failed": 0,
        "skipped": 0,
    }
    assert bulk.served() == {started["preset_set"]: IMAGES + 1}
    kept = b"select distinct one ->> 'preset_set' from live.assets, jsonb_array_elements(kept) one"
    assert bulk.rows(kept) == [(before,)]
    assert {lane for (lane,) in bulk.rows(b"select lane from live.jobs where run_id is not null")} == {"bulk"}


def test_a_rollback_renders_only_what_has_no_old_set(bulk: Bulk) -> None:
    """The one upload of the meantime was never made by the old presets."""
    back = bulk.ops("presets", "rollback")
    bulk.over(back["run_id"])
    assert bulk.served() == {back["preset_set"]: IMAGES + 1}
    rendered = b"select count(*) from live.jobs where run_id = %s and (cost ->> 'cpu_ms')::int > 0"
    assert bulk.rows(rendered, back["run_id"]) == [(1,)]
    shown = bulk.product.owner("ada").get("/v1/assets?limit=1").json()["items"][0]
    assert shown["variants"].keys() == {"large", "medium", "small", "thumbnail", "original"}


def test_a_person_regenerates_what_is_theirs_and_nothing_is_made_that_would_be_the_same(bulk: Bulk) -> None:
    ada, ben = bulk.product.owner("ada"), bulk.product.owner("ben")
    answer = ada.http.post("/v1/runs", json={"kind": "regenerate"}, headers={"Idempotency-Key": "again"})
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    assert ada.get(accepted["status_url"]).status_code == 200  # it waits until the run is known
    assert ben.get(f"/v1/runs/{accepted['run_id']}").status_code == 404
    bulk.over(accepted["run_id"])
    counts = ada.get(f"/v1/runs/{accepted['run_id']}").json()["counts"]
    assert (counts["requested"], counts["completed"]) == (IMAGES + 1, IMAGES + 1)
    spent = b"select sum((cost ->> 'cpu_ms')::int) from live.jobs where run_id = %s"
    assert bulk.rows(spent, accepted["run_id"]) == [(0,)]
    assert ada.http.post(f"/v1/runs/{accepted['run_id']}/pause").status_code == 409


def test_a_kept_set_is_retired_with_its_objects_and_what_is_served_stays(bulk: Bulk) -> None:
    keys = b"select one ->> 'manifest_key' from live.assets, jsonb_array_elements(kept) one"
    kept = [key for (key,) in bulk.rows(keys)]
    assert len(kept) == IMAGES + 1
    before = bulk.objects()
    assert set(kept) <= before
    bulk.house.stop()
    for _ in range(2):  # asked, then answered
        bulk.ops("housekeeping", "run", "--once", PRESETS_GRACE="0.1s")
        bulk.until(lambda: bulk.rows(keys) == [], "the log has not said yes")
    gone = before - bulk.objects()
    folders = tuple(key.removesuffix("manifest.json") for key in kept)
    assert gone == {key for key in before if key.startswith(folders)}
    served = b"select one ->> 'object_key' from live.assets, jsonb_array_elements(variants) one"
    assert {key for (key,) in bulk.rows(served)} <= bulk.objects()
    assert bulk.rows(b"select count(*) from api.retired_sets") == [(0,)]
    status = bulk.ops("presets", "status")
    assert [(one["served"], one["kept"]) for one in status["sets"]] == [(IMAGES + 1, 0), (0, 0)]


def test_a_seed_fills_the_product_with_accounts_and_pictures(product: Product) -> None:
    words = ["seed", "--users", "1", "--images", "2", "--json"]
    done = CliRunner().invoke(commands("seed"), words, env={"DARKROOM_URL": product.url})
    assert done.exit_code == 0, done.output
    (player,) = json.loads(done.stdout)
    assert (player["pictures"], player["ready"]) == (2, 2)


def test_the_guides_examples_walk_the_whole_way(bulk: Bulk, tmp_path: Path) -> None:
    """What docs/clients.md shows in three languages comes to its good end; in node where there is one."""
    bulk.house.restart().wait_ready()
    heard = told(bulk.product, tmp_path)
    assert {"client.py", "client.sh"} <= heard.keys()
    for name, lines in heard.items():
        text = "\n".join(lines)
        for found in ("1 of 2 parts", "in parts: ready", "version-lost", "titled: Harbour at noon"):
            assert found in text, f"{name}: {text}"
        assert "duplicate: true" in text.lower(), f"{name}: {text}"
        assert {"in the trash: 1", "revoked: 404", "run: completed 2"} <= set(lines), f"{name}: {text}"

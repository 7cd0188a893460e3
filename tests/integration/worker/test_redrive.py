"""What a worker gave up is found by an operator, named, done again and closed, from a shell."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from schemas.events import UploadCompleted, UploadRequested
from tests.integration.contract.commands import run_ops
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.lab import OWNER, Lab
from tests.integration.worker.test_policy import EVERY_ATTEMPT_RAISES
from tests.programs import Program, running
from tests.servers import World


def asked_for(request: UploadCompleted) -> UploadRequested:
    """What stands before it in the log."""
    return UploadRequested(
        event_id=uuid4(),
        occurred_at=request.occurred_at,
        asset_id=request.asset_id,
        owner_id=request.owner_id,
        actor_id=request.owner_id,
        upload_id=request.upload_id,
        method="form",
        object_key=f"incoming/{request.upload_id}",
        content_type="image/jpeg",
        declared_size=request.size,
        sealed_words=None,
        expires_at=request.occurred_at + timedelta(hours=1),
    )


async def test_a_job_that_was_given_up_is_found_and_done_again(
    lab: Lab, ground: World, start_worker: StartWorker, tmp_path: Path
) -> None:
    def said(*words: str) -> Any:
        done = run_ops(ground, *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def found(*words: str) -> Any:
        """The same for who asks again: nothing yet, where a server was too slow to answer."""
        done = run_ops(ground, *words, "--json")
        return json.loads(done.stdout) if done.returncode == 0 else []

    def jobs(asset_id: UUID) -> list[tuple[str, str]]:
        return [(job["kind"], job["state"]) for job in found("jobs", "list", "--asset", str(asset_id))]

    start_worker(FAILPOINTS=EVERY_ATTEMPT_RAISES)
    request = await lab.request()
    await lab.append(asked_for(request))
    await lab.append(request)
    conditions = ("format=image/jpeg", f"owner={OWNER}", f"asset={request.asset_id}")
    mine = [f"--where={condition}" for condition in conditions]
    with running(Program(["projections"], ground.env, tmp_path / "projector")):
        await lab.until(lambda: found("dead-letters", "list", *mine))
        (letter,) = await asyncio.to_thread(said, "dead-letters", "list", *mine)
        assert (letter["component"], letter["attempts"], letter["state"]) == ("variants", 3, "failed")
        assert letter["job_id"] == str(request.job_id)
        meant = await asyncio.to_thread(said, "dead-letters", "redrive", *mine, "--dry-run")
        assert meant == {letter["id"]: "would be: failed"}
        assert await asyncio.to_thread(said, "dead-letters", "redrive", *mine) == {letter["id"]: "redriven"}
        await lab.until(lambda: jobs(request.asset_id) == [("redrive", "completed"), ("upload", "failed")])
        assert await asyncio.to_thread(said, "dead-letters", "list", *mine) == []
        (closed,) = await asyncio.to_thread(said, "dead-letters", "list", "--all", *mine)
        assert closed["state"] == "over"
        history = (await asyncio.to_thread(said, "jobs", "show", str(request.job_id)))["history"]
        assert [one["outcome"] for one in history] == ["failed"] * 3

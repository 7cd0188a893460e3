"""R31: owners take turns in the worker, wherever in the log their uploads stand."""

from uuid import uuid4

from schemas.envelope import read_headers
from schemas.events import UploadCompleted
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.lab import Lab
from tests.photographs import photograph

_FLOOD = 30


async def test_an_upload_behind_anothers_thirty_is_ready_before_most_of_them(
    lab: Lab, start_worker: StartWorker
) -> None:
    """All in one partition, and there before the worker: taken in the log's order it would be the last."""
    one_of_many, somebody = uuid4(), uuid4()
    picture = photograph(640, 480)
    flood = [await lab.request(picture, owner=one_of_many, partition=0) for _ in range(_FLOOD)]
    behind = await lab.request(picture, owner=somebody, partition=0)
    for request in (*flood, behind):
        await lab.append(request)
    start_worker(WORKER_CHILDREN="1")
    await lab.ended(*flood, behind, seconds=90)
    ready = [ready_at(lab, request) for request in flood]
    # Twelve have room beside one child, the thirteenth's turn is the other's.
    assert sum(at < ready_at(lab, behind) for at in ready) < 2 / 3 * _FLOOD
    for request in (*flood, behind):
        assert lab.story(request) == ["started 1", "VariantsReady 1"]


def ready_at(lab: Lab, request: UploadCompleted) -> int:
    """Where in its partition it is said that the request's variants are there."""
    return next(
        record.offset
        for record in lab.records()
        if record.key == str(request.asset_id).encode()
        and read_headers(record.headers)["ce_type"].endswith(".VariantsReady")
    )

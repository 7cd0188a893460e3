"""Outages around a worker, and workers that come, go and freeze: nothing lost, doubled or failed."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from schemas.events import ProcessingStarted, UploadCompleted, VariantsReady
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.lab import Lab, letter_of
from tests.integration.worker.seen import readiness
from tests.programs import Program
from tests.servers import World

LEFT_TO_START_ANEW = 75
STORE_OUTAGE_SECONDS = float(os.environ.get("STORE_OUTAGE_SECONDS", "5"))
in_the_long_form = pytest.mark.skipif(
    STORE_OUTAGE_SECONDS < 60, reason="takes longer than a call's own timeout: set STORE_OUTAGE_SECONDS"
)


def letters_of(lab: Lab, *requests: UploadCompleted) -> list[bytes | None]:
    """The keys of dead letters of these requests."""
    keys = {str(request.asset_id).encode() for request in requests}
    return [letter.key for letter in lab.letters() if letter.key in keys]


async def all_well(lab: Lab, *requests: UploadCompleted, frozen: bool = False) -> None:
    """Each job has one result under one id, attempts counted without a gap, and its own objects alone.

    Whoever was frozen after a look ahead says a number that another has said meanwhile: folds drop it.
    """
    for request in requests:
        said = lab.said(request)
        ready = [event for event in said if isinstance(event, VariantsReady)]
        assert len({event.event_id for event in ready}) == 1, lab.story(request)
        starts = [event.attempt for event in said if isinstance(event, ProcessingStarted)]
        counted = sorted(set(starts)) if frozen else starts
        assert counted == list(range(1, len(counted) + 1)), lab.story(request)
        assert set(await lab.objects(request)) == lab.named(request, ready[0])


@pytest.mark.timeout(STORE_OUTAGE_SECONDS + 150)
@pytest.mark.parametrize("how", ["down", pytest.param("paused", marks=in_the_long_form)])
async def test_a_store_that_is_away_fails_nothing_however_long(
    lab: Lab, ground: World, start_worker: StartWorker, how: str
) -> None:
    """The budget of retries rests while the store as a whole is away; here it is far shorter than that.

    Short in the suite; STORE_OUTAGE_SECONDS=600 makes it ten minutes, and then a store that keeps its
    connections and does not answer is tried too.
    """
    worker = start_worker(OUTAGE_BUDGET="1s")
    requests = [await lab.request() for _ in range(3)]
    with getattr(ground.servers.store, how)():
        for request in requests:
            await lab.append(request)
        await lab.until(lambda: lab.story(requests[0]) == ["started 1"])
        await asyncio.sleep(STORE_OUTAGE_SECONDS)
        # Two of them may share a partition, and wait for each other.
        assert all(lab.story(request) in ([], ["started 1"]) for request in requests)
        assert not letters_of(lab, *requests)
    await lab.ended(*requests)
    assert worker.alive()
    for request in requests:
        assert lab.story(request) == ["started 1", "VariantsReady 1"]
    assert not letters_of(lab, *requests)


async def test_a_worker_without_work_outlives_a_broker_and_says_that_it_is_away(
    lab: Lab, ground: World, start_worker: StartWorker
) -> None:
    """Not ready while the broker is gone, ready by itself once it is back, and at work again."""
    worker = start_worker()
    with ground.servers.kafka.down():
        await lab.until(lambda: "the brokers can't be reached" in readiness(worker)[1])
        assert worker.alive()
    with kept_up(worker):
        await asyncio.to_thread(worker.wait_ready)
        request = await lab.upload()
        await lab.ended(request)
    assert lab.story(request) == ["started 1", "VariantsReady 1"]


async def test_a_registry_that_is_away_stops_nobody_who_is_warm(
    lab: Lab, ground: World, start_worker: StartWorker
) -> None:
    """Only a record of a schema that was never met waits for it, and is judged when it is back."""
    worker = start_worker()
    stranger = str(uuid4()).encode()
    with ground.servers.registry.down():
        request = await lab.upload()
        await lab.ended(request)
        assert lab.story(request) == ["started 1", "VariantsReady 1"]
        lab.append_raw(stranger, b"\0\x7f\xff\xff\xff" + b"of a schema that nobody has met")
        await lab.until(lambda: "looking ahead" in readiness(worker)[1])
        assert not [letter for letter in lab.letters() if letter.key == stranger]
    later = await lab.upload()
    await lab.ended(later)
    assert lab.story(later) == ["started 1", "VariantsReady 1"]
    await lab.until(lambda: [one for one in lab.letters() if one.key == stranger])
    told = [letter_of(one)["dl-code"] for one in lab.letters() if one.key == stranger]
    assert told == ["unknown_schema_id"]
    assert worker.alive()


async def test_a_broker_that_restarts_is_waited_for(
    lab: Lab, ground: World, start_worker: StartWorker
) -> None:
    """Workers outlive a short restart; where it takes longer they leave, and are started anew."""
    worker = start_worker()
    before = [await lab.upload() for _ in range(4)]
    await asyncio.to_thread(ground.servers.kafka.restart)
    after = [await lab.upload() for _ in range(4)]
    with kept_up(worker):
        await lab.ended(*before, *after)
    await all_well(lab, *before, *after)


async def test_a_worker_that_can_not_say_what_it_did_leaves_and_does_it_again(
    lab: Lab, ground: World, start_worker: StartWorker
) -> None:
    """The broker is gone for longer than a worker waits: it ends with 75, and nothing was committed."""
    worker = start_worker()
    request = await lab.request()
    with ground.servers.store.paused():
        await lab.append(request)
        await lab.until(lambda: lab.story(request) == ["started 1"])
        await asyncio.to_thread(ground.servers.kafka.stop)
    try:
        assert await asyncio.to_thread(worker.process.wait, 60) == LEFT_TO_START_ANEW
    finally:
        await asyncio.to_thread(ground.servers.kafka.start)
    worker.restart().wait_ready()
    await lab.ended(request)
    assert lab.story(request) == ["started 1", "started 2", "VariantsReady 2"]
    await all_well(lab, request)


async def test_workers_that_join_and_die_lose_and_double_nothing(lab: Lab, start_worker: StartWorker) -> None:
    """A second worker joins in the middle of work, is killed, and its partitions come back."""
    start_worker(WORKER_SESSION="6s")
    requests = [await lab.upload() for _ in range(10)]
    second = start_worker(1, ready=False, WORKER_SESSION="6s")
    requests += [await lab.upload() for _ in range(10)]
    second.wait_ready()
    requests += [await lab.upload() for _ in range(10)]
    second.kill()
    requests += [await lab.upload() for _ in range(4)]
    await lab.ended(*requests)
    await all_well(lab, *requests)
    assert not letters_of(lab, *requests)


async def test_a_frozen_worker_that_wakes_up_changes_nothing(lab: Lab, start_worker: StartWorker) -> None:
    """R16: stopped in its tracks for longer than its session; another one finishes what it had in hand."""
    first = start_worker(WORKER_SESSION="6s")
    second = start_worker(1, WORKER_SESSION="6s")
    requests = [await lab.upload() for _ in range(8)]
    freeze(first, signal.SIGSTOP)
    try:
        requests += [await lab.upload() for _ in range(4)]
        await lab.ended(*requests)
    finally:
        freeze(first, signal.SIGCONT)
    later = [await lab.upload() for _ in range(4)]
    await lab.ended(*later)
    await all_well(lab, *requests, *later, frozen=True)
    assert second.alive()


@contextlib.contextmanager
def kept_up(worker: Program) -> Iterator[None]:
    """Starts the worker anew whenever it leaves for that, as a supervisor does."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            if worker.process.poll() == LEFT_TO_START_ANEW:
                worker.restart()

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def freeze(worker: Program, number: signal.Signals) -> None:
    """The worker alone: its fork server and children go on, as after a pause of the interpreter."""
    worker.process.send_signal(number)

"""Workers that die or are stopped in the middle of a job: it comes again, is counted, has one effect."""

import signal
import time
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.events import UploadCompleted, VariantsReady
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.lab import Lab, letter_of
from tests.programs import Program
from tests.servers import World


def killed(worker: Program) -> None:
    """Waits until the worker has killed itself, and ends what it left behind."""
    assert worker.process.wait(60) == -signal.SIGKILL, worker.output()[-3000:]
    worker.kill()


def restarted(worker: Program, **settings: str) -> Program:
    worker.env |= {"FAILPOINTS": "", **settings}
    return worker.restart().wait_ready()


def behind(lab: Lab) -> int:
    """How many records the workers have not committed."""
    kafka = lab.settings.kafka
    group = {"group.id": f"{kafka.topic_prefix}.variants", "enable.auto.commit": False}
    consumer = Consumer(kafka.client() | group)
    try:
        places = [TopicPartition(kafka.topics.assets, number) for number in range(kafka.partitions)]
        missing = 0
        for place in consumer.committed(places, timeout=10):
            low, high = consumer.get_watermark_offsets(place, timeout=10)
            missing += high - max(low, place.offset)
        return missing
    finally:
        consumer.close()


async def one_effect(lab: Lab, request: UploadCompleted) -> VariantsReady:
    """One result under one event id, and exactly the objects that it names."""
    ready = [event for event in lab.said(request) if isinstance(event, VariantsReady)]
    assert len({event.event_id for event in ready}) == 1
    assert {event.variants for event in ready} == {ready[0].variants}
    assert set(await lab.objects(request)) == lab.named(request, ready[0])
    return ready[0]


# Each instant, the hit of it that kills (the job before comes again first, and hits it too), and what the
# log tells at the end; `written` where the variants had to be rendered once more.
INSTANTS = [
    ("worker.before_read", 1, ["started 1", "started 2", "VariantsReady 2"], True),
    ("worker.before_render", 2, ["started 1", "started 2", "VariantsReady 2"], True),
    ("worker.after_put", 6, ["started 1", "started 2", "VariantsReady 2"], True),
    ("worker.after_manifest", 2, ["started 1", "started 2", "VariantsReady 2"], False),
    ("worker.after_append", 2, ["started 1", "VariantsReady 1"], True),
    ("worker.before_commit", 2, ["started 1", "VariantsReady 1"], True),
]


async def test_a_job_whose_worker_is_killed_comes_again_with_one_effect(
    lab: Lab, start_worker: StartWorker
) -> None:
    """R05: at each instant of a job in turn. Where the manifest stood already nothing is rendered again."""
    worker, requests = None, list[UploadCompleted]()
    for instant, hit, _, _ in INSTANTS:
        failpoint = {"FAILPOINTS": f"{instant}=kill@{hit}"}
        worker = start_worker(**failpoint) if worker is None else restarted(worker, **failpoint)
        await lab.ended(*requests)
        await lab.until(lambda: behind(lab) == 0)  # or more than the last job would come again
        requests.append(await lab.upload())
        killed(worker)
    assert worker is not None
    restarted(worker)
    await lab.ended(*requests)
    for request, (instant, _, story, written) in zip(requests, INSTANTS, strict=True):
        assert lab.story(request) == story, instant
        ready = await one_effect(lab, request)
        assert (ready.cost.bytes_written > 0) is written, instant


async def test_a_record_that_kills_its_workers_is_given_up_at_the_third(
    lab: Lab, start_worker: StartWorker
) -> None:
    worker = start_worker(FAILPOINTS="worker.after_start=kill@1")
    request = await lab.upload()
    killed(worker)
    for _ in range(2):
        worker.restart()
        killed(worker)
    restarted(worker)
    await lab.ended(request)
    assert lab.story(request) == ["started 1", "started 2", "started 3", "internal(worker_lost) 3"]
    letters = [letter_of(letter) for letter in lab.letters() if letter.key == str(request.asset_id).encode()]
    assert [(letter["dl-code"], letter["dl-attempts"]) for letter in letters] == [("worker_lost", "3")]
    later = await lab.upload()
    await lab.ended(later)
    assert lab.story(later) == ["started 1", "VariantsReady 1"]


async def test_a_shutdown_cuts_the_job_in_hand_which_says_so_and_comes_again(
    lab: Lab, ground: World, start_worker: StartWorker
) -> None:
    """SIGTERM while the store does not answer: cut at the end of the grace, counted for nothing."""
    worker = start_worker(WORKER_SHUTDOWN_GRACE="1s")
    request = await lab.request()
    with ground.servers.store.paused():
        await lab.append(request)
        await lab.until(lambda: lab.story(request) == ["started 1"])
        assert worker.stop(40) == 0
    assert lab.story(request) == ["started 1", "interrupted(shutdown) 1 again"]
    restarted(worker)
    await lab.ended(request)
    assert lab.story(request)[2:] == ["started 2", "VariantsReady 2"]
    await one_effect(lab, request)


async def test_a_shutdown_lets_short_work_end(lab: Lab, start_worker: StartWorker) -> None:
    worker = start_worker()
    requests = [await lab.upload() for _ in range(6)]
    await lab.until(lambda: lab.story(requests[0]) != [])
    assert worker.stop(40) == 0
    ends = [lab.story(request) for request in requests]
    assert all(story in ([], ["started 1", "VariantsReady 1"]) for story in ends)
    restarted(worker)
    await lab.ended(*requests)
    for request in requests:
        assert lab.story(request) == ["started 1", "VariantsReady 1"]


async def test_a_group_whose_offsets_are_lost_renders_nothing_again(
    lab: Lab, ground: World, start_worker: StartWorker
) -> None:
    """R14: it starts at the earliest record, and finds every job's end ahead of it."""
    worker = start_worker(WORKER_SESSION="6s")
    requests = [await lab.upload() for _ in range(3)]
    refused = await lab.upload(b"no picture")
    await lab.ended(*requests, refused)
    worker.kill()
    before = [lab.story(request) for request in (*requests, refused)]
    settings = ground.settings("admin")
    group = f"{settings.kafka.topic_prefix}.variants"
    admin = AdminClient(settings.kafka.client())

    def deleted() -> bool:
        try:
            admin.delete_consumer_groups([group])[group].result()
        except Exception:  # noqa: BLE001 - the dead member is in it until its session ends
            return False
        return True

    await lab.until(deleted, 30)
    restarted(worker)
    witness = await lab.upload()
    await lab.ended(witness)
    assert [lab.story(request) for request in (*requests, refused)] == before


def test_two_workers_can_not_have_one_slot(start_worker: StartWorker) -> None:
    first = start_worker(slot=5, ready=False)
    state = Path(first.env["STATE_DIR"])
    while not list(state.glob("*.slot-5.lock")):
        assert first.alive()
        time.sleep(0.05)
    twin = start_worker(slot=5, ready=False)
    assert twin.process.wait(60) == 1
    assert "slot 5 is taken" in twin.output()

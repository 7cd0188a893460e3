"""The checker finds nothing in a run that went well, and each way in which one can go wrong."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from schemas.events import AssetEvent, VariantsReady
from schemas.partitioner import partition_for
from schemas.positions import Position
from tests.golden.examples import ASSET_ID
from tests.rig.checker import assert_well, violations
from tests.rig.evidence import Allowed, Evidence, Rows, Told, tale
from tests.rig.history import Acknowledged, Attempt
from tests.rig.state_checks import _asset_row, _job_row
from tests.rig.violations import Kind
from tests.unit.schemas.asset_events import (
    JOBS,
    ORIGINALS,
    completed,
    failed,
    purged,
    ready,
    requested,
    started,
)

PARTITIONS = 4
KEY = str(ASSET_ID).encode()
WHERE = partition_for(KEY, PARTITIONS)
FORM = requested(method="form")
DIRECT = requested(method="direct")
ASKED: list[AssetEvent] = [FORM, completed()]
STORY: list[AssetEvent] = [*ASKED, started(worker="w0"), ready()]
GIVEN_UP: list[AssetEvent] = [
    *ASKED,
    *(started(attempt=number) for number in (1, 2, 3)),
    failed(kind="internal", code="worker_lost", attempt=3),
]


def told(events: Sequence[AssetEvent], *, key: bytes = KEY, partition: int = WHERE) -> list[Told]:
    return [
        Told(partition=partition, offset=offset, key=key, event=event) for offset, event in enumerate(events)
    ]


def rows_of(log: Sequence[Told]) -> Rows:
    came = tale(log)
    taken = {each.place for each in came.accepted}
    state = came.state
    if state is None or state.purged_at is not None:
        assets, jobs = {}, {}
    else:
        assets = {ASSET_ID: _asset_row(state, came)}
        jobs = {(ASSET_ID, job.job_id): _job_row(job) for job in state.jobs}
    feed = {each.place: (each.event.event_id, each.place in taken) for each in log}
    return Rows(assets=assets, jobs=jobs, activity=feed)


def objects_of(log: Sequence[Told]) -> dict[str, int]:
    state = tale(log).state
    found = (
        {} if state is None or state.original is None else {state.original.object_key: state.original.size}
    )
    if state is not None and state.served is not None:
        found |= {variant.object_key: variant.size for variant in state.served.variants}
        found[state.served.manifest_key] = 99
        if state.served.metadata_key is not None:
            found[state.served.metadata_key] = 98
    return found


def run(events: Sequence[AssetEvent] = STORY, **changes: Any) -> Evidence:
    """A run whose log holds these events, and whose every other part agrees with it."""
    log = told(events)
    ids = tuple(event.event_id for event in ASKED)
    evidence = Evidence(
        partitions=PARTITIONS,
        attempts=[Attempt(name="a", asset_id=ASSET_ID, event_ids=ids, object_keys=(ORIGINALS[0],))],
        acknowledged=[Acknowledged(name="a", asset_id=ASSET_ID, event_ids=ids)],
        log=log,
        rows=rows_of(log),
        objects=objects_of(log),
    )
    return dataclasses.replace(evidence, **changes)


def kinds(evidence: Evidence) -> set[Kind]:
    return {violation.kind for violation in violations(evidence)}


WELL: dict[str, Callable[[], Evidence]] = {
    "a plain run": run,
    "nothing at all": lambda: Evidence(partitions=PARTITIONS),
    "a worker killed before its result": lambda: run(
        [*ASKED, started(), started(attempt=2), ready(attempt=2)]
    ),
    "an attempt that was interrupted": lambda: run(
        [
            *ASKED,
            started(),
            failed(kind="interrupted", code="shutdown", will_retry=True),
            started(attempt=2),
            ready(attempt=2),
        ]
    ),
    "a result said twice under its one id": lambda: run([*STORY, STORY[3]]),
    "every record appended again": lambda: run([*STORY, *STORY]),
    "a request that came again and had its result repeated": lambda: run(
        [*STORY, ASKED[1], started(worker="w0"), STORY[3]]
    ),
    "given up at the third silent end": lambda: run(GIVEN_UP, letters=1),
    "given up with what its workers had written": lambda: run(
        GIVEN_UP,
        letters=1,
        objects=objects_of(told(GIVEN_UP))
        | {f"assets/{ASSET_ID}/{rest}": 5 for rest in ("variants/a/b/small.jpg", "metadata/a.json")},
    ),
    "a refusal that was expected": lambda: run(
        [*ASKED, started(), failed(code="corrupt")],
        allowed=Allowed(failures=frozenset({("refused", "corrupt")})),
    ),
    "a form that was sent again, its bytes to another place": lambda: run(
        [dataclasses.replace(FORM, object_key=key) for key in ("incoming/a", "incoming/b")] + STORY[1:]
    ),
    "an upload whose outcome nobody knows": lambda: run([], acknowledged=[], objects={ORIGINALS[0]: 5}),
    "two workers that began the same attempt": lambda: run(
        [*ASKED, started(worker="w0"), started(worker="w1"), ready()], allowed=Allowed(handovers=True)
    ),
    "another worker that began after the end": lambda: run(
        [*STORY, started(attempt=2, worker="w1")], allowed=Allowed(handovers=True)
    ),
    "a copy of an original that doors could not tell of": lambda: dataclasses.replace(
        other_objects(**{f"assets/{ASSET_ID}/original/another": 5}),
        allowed=Allowed(orphaned_originals=True),
    ),
    "a purged asset": lambda: run([*STORY, purged()]),
}


@pytest.mark.parametrize("name", WELL)
def test_what_went_well_is_let_pass(name: str) -> None:
    assert violations(WELL[name]()) == []


def without_rows(evidence: Evidence, **changes: Any) -> Evidence:
    assert evidence.rows is not None
    return dataclasses.replace(evidence, rows=dataclasses.replace(evidence.rows, **changes))


def changed_row(**columns: Any) -> Evidence:
    evidence = run()
    assert evidence.rows is not None
    return without_rows(evidence, assets={ASSET_ID: {**evidence.rows.assets[ASSET_ID], **columns}})


def changed_job(**columns: Any) -> Evidence:
    evidence = run()
    assert evidence.rows is not None
    key = (ASSET_ID, JOBS[0])
    return without_rows(evidence, jobs={key: {**evidence.rows.jobs[key], **columns}})


def other_objects(**changes: int | None) -> Evidence:
    objects = {key: size for key, size in objects_of(told(STORY)).items() if key not in changes}
    return run(objects=objects | {key: size for key, size in changes.items() if size is not None})


def acked_at(partition: int, offset: int) -> Evidence:
    position = Position(topic="t", partition=partition, offset=offset)
    answer = Acknowledged(name="a", asset_id=ASSET_ID, event_ids=(ASKED[0].event_id,), positions=(position,))
    return run(acknowledged=[answer])


OTHER = dataclasses.replace(ready(), event_id=uuid4())
STRANGER = dataclasses.replace(requested(), asset_id=UUID(int=77))
VARIANT = next(event for event in STORY if isinstance(event, VariantsReady)).variants[0].object_key

WRONG: dict[str, tuple[Kind, Callable[[], Evidence]]] = {
    "an acknowledged upload that is not there": (Kind.LOST, lambda: run([])),
    "an acknowledged event that is not there": (Kind.LOST, lambda: run(STORY[:1])),
    "an acknowledged place where nothing stands": (Kind.LOST, lambda: acked_at(WHERE, 50)),
    "an acknowledged place where another stands": (Kind.LOST, lambda: acked_at(WHERE, 2)),
    "an asset that nobody attempted": (
        Kind.FOREIGN,
        lambda: run(attempts=[], acknowledged=[]),
    ),
    "an event that nobody attempted": (
        Kind.FOREIGN,
        lambda: run([*STORY, completed()]),
    ),
    "a record that is no event": (Kind.FOREIGN, lambda: run(unreadable=[(0, 9)])),
    "a job with two results": (Kind.DOUBLED, lambda: run([*STORY, OTHER])),
    "an event id that says two things": (
        Kind.DOUBLED,
        lambda: run([*STORY, dataclasses.replace(completed(), event_id=ASKED[1].event_id, size=1)]),
    ),
    "a grant of two places under one event id": (
        Kind.DOUBLED,
        lambda: run([dataclasses.replace(DIRECT, object_key=key) for key in ("a", "b")]),
    ),
    "an event that the read models took twice": (
        Kind.DOUBLED,
        lambda: without_rows(
            run([*STORY, STORY[3]]),
            activity={(WHERE, offset): (STORY[3].event_id, True) for offset in range(5)},
        ),
    ),
    "a job without an end": (Kind.STUCK, lambda: run(STORY[:3])),
    "a job that nobody took": (Kind.STUCK, lambda: run(ASKED)),
    "a job that failed": (Kind.FAILED, lambda: run([*ASKED, started(), failed()])),
    "a dead letter": (Kind.LETTERS, lambda: run(letters=1)),
    "an asset in another partition": (
        Kind.ORDER,
        lambda: run(log=told(STORY, partition=(WHERE + 1) % PARTITIONS), rows=None),
    ),
    "a job begun before it was asked for": (
        Kind.ORDER,
        lambda: run([ASKED[0], started(), ASKED[1], ready()]),
    ),
    "a job that ended before it began": (Kind.ORDER, lambda: run([*ASKED, ready(), started()])),
    "an attempt that is told twice": (
        Kind.ATTEMPTS,
        lambda: run([*ASKED, started(), started(), ready()]),
    ),
    "an attempt that is left out": (
        Kind.ATTEMPTS,
        lambda: run([*ASKED, started(), started(attempt=3), ready(attempt=3)]),
    ),
    "a job begun again after its end": (Kind.ATTEMPTS, lambda: run([*STORY, started(attempt=2)])),
    "a job begun again by who ended it, whatever the handover": (
        Kind.ATTEMPTS,
        lambda: run([*STORY, started(attempt=2, worker="w0")], allowed=Allowed(handovers=True)),
    ),
    "an end of an attempt that never began": (
        Kind.ATTEMPTS,
        lambda: run([*ASKED, started(), ready(attempt=2)]),
    ),
    "a job given up at the second silent end": (
        Kind.ATTEMPTS,
        lambda: run(
            [
                *ASKED,
                started(),
                started(attempt=2),
                failed(kind="internal", code="worker_lost", attempt=2),
            ]
        ),
    ),
    "a job given up although it was only interrupted": (
        Kind.ATTEMPTS,
        lambda: run(
            [
                *ASKED,
                started(),
                failed(kind="interrupted", code="shutdown", will_retry=True),
                started(attempt=2),
                started(attempt=3),
                failed(kind="internal", code="worker_lost", attempt=3),
            ]
        ),
    ),
    "a row that is missing": (Kind.ROWS, lambda: without_rows(run(), assets={})),
    "a row of nobody": (
        Kind.ROWS,
        lambda: run(rows=dataclasses.replace(rows_of(told(STORY)), assets={UUID(int=5): {}})),
    ),
    "a row with an old status": (Kind.ROWS, lambda: changed_row(status="processing")),
    "a row with another position": (Kind.ROWS, lambda: changed_row(position=(WHERE, 1))),
    "a row without a variant": (Kind.ROWS, lambda: changed_row(variants={})),
    "a job's row with another number of attempts": (Kind.ROWS, lambda: changed_job(attempts=2)),
    "a record without its line in the feed": (Kind.ROWS, lambda: without_rows(run(), activity={})),
    "a variant that is missing": (Kind.OBJECTS, lambda: other_objects(**{VARIANT: None})),
    "a variant of another size": (Kind.OBJECTS, lambda: other_objects(**{VARIANT: 1})),
    "an original that is missing": (Kind.OBJECTS, lambda: other_objects(**{ORIGINALS[0]: None})),
    "an object that nobody names": (Kind.OBJECTS, lambda: other_objects(orphan=1)),
    "an original that nobody names": (
        Kind.OBJECTS,
        lambda: other_objects(**{f"assets/{ASSET_ID}/original/another": 5}),
    ),
    "a purged asset's original": (
        Kind.OBJECTS,
        lambda: run([*STORY, purged()], objects={ORIGINALS[0]: 5}),
    ),
    "a purged asset's row": (
        Kind.ROWS,
        lambda: without_rows(run([*STORY, purged()]), assets={ASSET_ID: {}}),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_went_wrong_is_found(name: str) -> None:
    kind, evidence = WRONG[name]
    assert kind in kinds(evidence())


def test_a_stranger_is_excused_by_one_whose_client_never_heard_its_id() -> None:
    log = [*told(STORY), *told([STRANGER], key=str(STRANGER.asset_id).encode())]
    nameless = Attempt(name="b")
    strange = run(log=log, rows=None)
    assert Kind.FOREIGN in kinds(strange)
    heard = dataclasses.replace(strange, attempts=[*strange.attempts, nameless])
    assert Kind.FOREIGN not in kinds(heard)


def test_it_fails_with_what_it_found() -> None:
    with pytest.raises(AssertionError, match=f"stuck.*{ASSET_ID}"):
        assert_well(run(STORY[:3]))

"""What a batch does in memory: who is folded, who waits, who is set aside."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.sealing import SealBroken
from adapters.subject_keys import UnknownKey
from projections.folding import BlockedKey, Given, fold_batch
from projections.of_assets import STREAMS, Folded
from projections.records import Read, Record
from schemas.asset_state import AssetState
from schemas.decode_errors import DecodeError, EmptyValue, TruncatedValue, UnknownEventType
from schemas.envelope import key_of
from schemas.events import AssetEvent, UploadRequested
from schemas.partitioner import partition_for
from tests.unit.projections.stories import Stories, an_id

PARTITIONS = 12


@pytest.fixture
def stories() -> Stories:
    return Stories()


def at(
    event: AssetEvent, offset: int, partition: int | None = None, key: bytes | None = None
) -> Read[AssetEvent]:
    """The event as a record: at home, unless told otherwise."""
    own = key_of(event)
    home = partition_for(own, PARTITIONS) if partition is None else partition
    return Read(Record(home, offset, 0, key or own, b"", list), event)


def bad(reason: DecodeError | UnknownEventType, like: Read[AssetEvent], offset: int) -> Read[AssetEvent]:
    return Read(like.record._replace(offset=offset), reason)


def given(
    states: Mapping[UUID, AssetState] | None = None,
    blocked: frozenset[BlockedKey] = frozenset(),
    check: Callable[[AssetEvent], None] = lambda _event: None,
    condemned: Mapping[tuple[int, int], Exception] | None = None,
) -> Given[UUID, AssetState, AssetEvent]:
    return Given(
        streams=STREAMS,
        partitions=PARTITIONS,
        states=states or {},
        blocked=blocked,
        check=check,
        condemned=condemned or {},
    )


def kinds(folded: Folded) -> list[tuple[int, str, str]]:
    return [(aside.record.offset, aside.kind, aside.code) for aside in folded.set_aside]


async def test_states_go_on_from_where_they_were(stories: Stories) -> None:
    ada = await stories.owner("ada")
    story = stories.whole("sea", ada)
    first = fold_batch([at(story[0], 0), at(story[1], 1)], given())
    states = {asset_id: changed.state for asset_id, changed in first.changed.items()}
    second = fold_batch([at(story[2], 2), at(story[3], 3)], given(states))
    whole = fold_batch([at(event, offset) for offset, event in enumerate(story)], given())
    (after,), (at_once,) = second.changed.values(), whole.changed.values()
    assert (after.state, after.offset) == (at_once.state, at_once.offset)
    assert (after.before, at_once.before) == (states[stories.asset_id("sea")], None)
    assert [applied.accepted for applied in whole.applied] == [True] * 4
    assert second.changed[stories.asset_id("sea")].offset == 3


async def test_what_the_fold_ignores_is_told_and_changes_nothing(stories: Stories) -> None:
    ada = await stories.owner("ada")
    early, late = stories.completed("sea", ada), stories.requested("sea", ada)
    folded = fold_batch([at(early, 0), at(late, 1), at(late, 2)], given())
    assert [(each.accepted, each.state is None) for each in folded.applied] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    assert folded.changed[stories.asset_id("sea")].offset == 1


async def test_the_later_ones_of_a_key_wait_and_nobody_else(stories: Stories) -> None:
    ada = await stories.owner("ada")
    sea, sky = stories.whole("sea", ada), stories.whole("sky", ada)
    batch = [
        at(sea[0], 0),
        bad(TruncatedValue(), at(sea[0], 0), 1),
        at(sea[1], 2),
        bad(EmptyValue(), at(sea[0], 0), 3),
        bad(TruncatedValue(), at(sea[0], 0), 4),
        at(sky[0], 5),
    ]
    folded = fold_batch(batch, given())
    assert kinds(folded) == [
        (1, "undecodable", "truncated_value"),
        (2, "follows", "follows"),
        (3, "not_ours", "empty_value"),
        (4, "follows", "truncated_value"),
    ]
    assert {stories.asset_id("sea"), stories.asset_id("sky")} == set(folded.changed)


async def test_a_key_that_waits_already_goes_on_waiting(stories: Stories) -> None:
    ada = await stories.owner("ada")
    read = at(stories.requested("sea", ada), 0)
    assert read.record.key is not None
    folded = fold_batch([read], given(blocked=frozenset({(read.record.partition, read.record.key)})))
    assert kinds(folded) == [(0, "follows", "follows")]
    elsewhere = frozenset({((read.record.partition + 1) % PARTITIONS, read.record.key)})
    assert kinds(fold_batch([read], given(blocked=elsewhere))) == []


async def test_only_its_own_key_and_partition_tell_an_assets_story(stories: Stories) -> None:
    ada = await stories.owner("ada")
    event = stories.requested("sea", ada)
    home = partition_for(key_of(event), PARTITIONS)
    batch = [
        at(event, 0, partition=(home + 1) % PARTITIONS),
        at(event, 1, key=str(an_id("other")).encode()),
        at(event, 2, key=key_of(event).upper()),
    ]
    folded = fold_batch(batch, given())
    assert kinds(folded) == [(offset, "not_ours", "misplaced") for offset in range(3)]
    assert folded.changed == {}


async def test_an_event_in_the_home_of_a_key_that_tells_of_another_is_not_its_story(stories: Stories) -> None:
    ada = await stories.owner("ada")
    sea, hill = stories.requested("sea", ada), stories.requested("hill", ada)
    own = key_of(sea)
    folded = fold_batch([at(hill, 0, partition_for(own, PARTITIONS), own), at(sea, 1)], given())
    assert kinds(folded) == [(0, "not_ours", "misplaced")]
    assert list(folded.changed) == [sea.asset_id]


async def test_what_cant_be_decoded_under_nobodys_key_holds_nobody_back(stories: Stories) -> None:
    ada = await stories.owner("ada")
    sea = at(stories.requested("sea", ada), 0)
    elsewhere = sea.record._replace(partition=(sea.record.partition + 1) % PARTITIONS)
    nobodys = sea.record._replace(key=b"nobody", partition=partition_for(b"nobody", PARTITIONS))
    batch: list[Read[AssetEvent]] = [Read(record, TruncatedValue()) for record in (elsewhere, nobodys)]
    folded = fold_batch(batch, given())
    assert kinds(folded) == [(0, "not_ours", "truncated_value")] * 2


async def test_what_is_discarded_is_left_out_and_holds_nobody_back(stories: Stories) -> None:
    ada = await stories.owner("ada")
    sea = stories.whole("sea", ada)
    bad_one = bad(TruncatedValue(), at(sea[0], 0), 1)
    place = (bad_one.record.partition, bad_one.record.offset)
    batch = [at(sea[0], 0), bad_one, at(sea[1], 2)]
    folded = fold_batch(batch, replace(given(), discarded=frozenset({place})))
    assert kinds(folded) == []
    assert [applied.record.offset for applied in folded.applied] == [0, 2]


async def test_what_raises_blocks_its_key_and_tells_no_words(stories: Stories) -> None:
    ada = await stories.owner("ada")
    sea = stories.whole("sea", ada)

    def check(event: AssetEvent) -> None:
        if isinstance(event, UploadRequested):
            raise SealBroken("a secret title")

    folded = fold_batch([at(sea[0], 0), at(sea[1], 1)], given(check=check))
    assert kinds(folded) == [(0, "internal", "seal_broken"), (1, "follows", "follows")]
    fault = folded.set_aside[0].fault
    assert fault is not None
    assert fault.error == "SealBroken"
    assert "secret" not in repr(fault)
    assert folded.applied == []


async def test_a_condemned_record_is_set_aside_for_its_reason(stories: Stories) -> None:
    ada = await stories.owner("ada")
    read = at(stories.requested("sea", ada), 7)
    folded = fold_batch([read], given(condemned={(read.record.partition, 7): ValueError("no")}))
    assert kinds(folded) == [(7, "internal", "fold_failed")]


async def test_an_unknown_key_is_nobodys_fault(stories: Stories) -> None:
    ada = await stories.owner("ada")

    def check(_event: AssetEvent) -> None:
        raise UnknownKey(str(uuid4()))

    with pytest.raises(UnknownKey):
        fold_batch([at(stories.requested("sea", ada), 0)], given(check=check))


async def test_types_of_tomorrow_are_counted(stories: Stories) -> None:
    ada = await stories.owner("ada")
    like: Any = at(stories.requested("sea", ada), 0)
    folded = fold_batch([bad(UnknownEventType("darkroom.assets.AssetDreamt"), like, 1)], given())
    assert folded.skipped == {"darkroom.assets.AssetDreamt": 1}
    assert folded.set_aside == []

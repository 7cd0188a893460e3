"""Rows of lives that are taken at once are those of the same lives folded event by event, byte by byte."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.subject_keys import UnknownKey
from projections.assets import projection as assets
from projections.assets.clear import ClearText
from projections.folding import Given, fold_batch, touched
from projections.jobs import projection as jobs
from projections.links import projection as links
from projections.of_assets import STREAMS, WHOLE_LIVES, Folded
from projections.packing import packer
from projections.records import Read
from projections.shortcuts import Shortcut, Whole
from projections.storage import projection as storage
from projections.usage import projection as usage
from schemas.asset_state import AssetState
from schemas.decode_errors import TruncatedValue
from schemas.events import AssetEvent
from schemas.partitioner import partition_for
from schemas.state_codec import encode_state
from tests.unit.projections.later_stories import Later
from tests.unit.projections.stories import Stories
from tests.unit.projections.test_folding import PARTITIONS, at, bad

STORIES = Stories()
ADA, BOB = (asyncio.run(STORIES.owner(name)) for name in ("ada", "bob"))
EVENTS = st.integers(0, 3)

Batches = list[list[Read[AssetEvent]]]


class Rows:
    """What batches make of a log, in bytes where there are bytes."""

    def __init__(self, batches: Batches, shortcut: Shortcut[AssetState, AssetEvent] | None) -> None:
        self.states: dict[UUID, AssetState] = {}
        self.noted: list[Any] = []
        self.at_once = 0
        clear = ClearText(STORIES.keys)
        for batch in batches:
            try:
                self._take(batch, shortcut, clear)
            except UnknownKey:
                self.noted.append("a key is not known")
            clear.forget()

    def _take(
        self,
        batch: Sequence[Read[AssetEvent]],
        shortcut: Shortcut[AssetState, AssetEvent] | None,
        clear: ClearText,
    ) -> None:
        states = {one: self.states[one] for one in touched(batch, STREAMS.id_of_key) if one in self.states}
        given = Given(
            streams=STREAMS,
            partitions=PARTITIONS,
            states=states,
            blocked=frozenset(),
            check=clear.check,
            condemned={},
            shortcut=shortcut,
        )
        folded = fold_batch(batch, given)
        self.noted.append(_noted(folded, clear))
        self.at_once += sum(isinstance(change, Whole) for change in folded.changed.values())
        self.states |= {one: change.state for one, change in folded.changed.items()}


def _noted(folded: Folded, clear: ClearText) -> list[Any]:
    of_links = [one for one, change in folded.changed.items() if change.state.links]
    return [
        _packed(assets.TABLE.columns, assets.rows(folded, clear)),
        _packed(jobs.TABLE.columns, jobs.rows(folded)),
        _packed(links.TABLE.columns, links.rows(folded, of_links)),
        _packed(usage.TABLE.columns, usage.rows(folded)),
        storage.changes(folded),
        sorted((one.bytes, encode_state(change.state)) for one, change in folded.changed.items()),
        sorted(one.bytes for one in folded.replaced()),
        sorted((one.record.partition, one.record.offset, one.accepted) for one in folded.applied),
        sorted((one.record.partition, one.record.offset, one.kind, one.code) for one in folded.set_aside),
    ]


def _packed(columns: Any, rows: Any) -> list[bytes]:
    return sorted(map(packer(tuple(columns.values())), rows))


@st.composite
def told(draw: st.DrawFn, asset: int) -> tuple[bytes, list[AssetEvent]]:
    """An asset's key and its records: the usual life, and now and then something that is not usual."""
    usual = STORIES.whole(asset, ADA)
    events: list[AssetEvent] = list(usual)
    match draw(st.sampled_from(["usual", "usual", "usual", "later", "repeat", "lost", "turned", "altered"])):
        case "later":
            later = list(Later(STORIES, asset, ADA).whole())
            events += later[: draw(st.integers(1, len(later)))]
        case "repeat":
            events.insert(draw(st.integers(0, 4)), usual[draw(EVENTS)])
        case "lost":
            del events[draw(EVENTS)]
        case "turned":
            events = list(draw(st.permutations(events)))
        case "altered":
            number = draw(EVENTS)
            events[number] = draw(st.sampled_from(_altered(usual[number])))
        case _:
            pass
    return str(STORIES.asset_id(asset)).encode(), events


def _altered(event: Any) -> Sequence[AssetEvent]:
    """The event as it should not be: another's, sealed for another, of another attempt or version."""
    fields = {
        "owner_id": BOB,
        "asset_id": STORIES.asset_id("another"),
        "job_id": STORIES.job_id("another"),
        "upload_id": STORIES.job_id("another"),
        "attempt": 0,
        "expected_version": 1,
        "sealed_words": b"no seal",
        "sealed_facts": b"no seal",
        "metadata_key": "assets/m.json",
        "object_key": "assets/another",
    }
    return [replace(event, **{name: value}) for name, value in fields.items() if hasattr(event, name)]


@st.composite
def logs(draw: st.DrawFn) -> Batches:
    """Some assets' records, each's in its order, cut anywhere; some can't be decoded, some stray."""
    waiting = [draw(told(asset)) for asset in range(draw(st.integers(1, 4)))]
    reads: list[Read[AssetEvent]] = []
    while waiting := [(key, events) for key, events in waiting if events]:
        key, events = waiting[draw(st.integers(0, len(waiting) - 1))]
        for _ in range(draw(st.integers(1, len(events)))):
            home = partition_for(key, PARTITIONS)
            astray = draw(st.integers(0, 30)) == 0
            read = at(events.pop(0), len(reads), (home + astray) % PARTITIONS, key)
            undecodable = draw(st.integers(0, 30)) == 0
            reads.append(bad(TruncatedValue(), read, len(reads)) if undecodable else read)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(reads) - 1)), max_size=3)))
    return [reads[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(reads)], strict=True)]


@settings(max_examples=300, deadline=None)
@given(logs())
def test_any_log_cut_anywhere_gives_the_same_rows_at_once_and_one_by_one(batches: Batches) -> None:
    at_once, one_by_one = Rows(batches, WHOLE_LIVES), Rows(batches, None)
    assert at_once.noted == one_by_one.noted
    assert at_once.states == one_by_one.states


def test_usual_lives_are_taken_at_once_and_none_that_goes_on() -> None:
    lives = [STORIES.whole(asset, ADA) for asset in range(3)]
    lives[1].append(Later(STORIES, 1, ADA).updated(2))
    reads = [at(event, offset) for offset, event in enumerate(chain(*lives))]
    whole = Rows([reads], WHOLE_LIVES)
    assert whole.at_once == 2
    assert whole.noted == Rows([reads], None).noted


def test_a_life_that_comes_again_or_under_another_s_key_is_folded() -> None:
    usual = STORIES.whole("sea", ADA)
    key = str(STORIES.asset_id("sky")).encode()
    home = partition_for(key, PARTITIONS)
    batches = [[at(event, offset) for offset, event in enumerate(usual, begin)] for begin in (0, 4)]
    batches.append([at(event, offset, home, key) for offset, event in enumerate(usual, 8)])
    at_once = Rows(batches, WHOLE_LIVES)
    assert at_once.at_once == 1
    assert at_once.noted == Rows(batches, None).noted

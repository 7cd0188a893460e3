"""Records that can't be folded: set aside with provenance, once, while everything else flows on."""

from dataclasses import replace

import pytest

from adapters.dead_letters import DeadLetterNotWritten
from adapters.subject_keys import InMemorySubjectKeys, UnknownKey
from projections import operating
from schemas.codec import Codec
from schemas.envelope import key_of
from schemas.events import PresetSetActivated
from tests.integration.projections.rows import SET_ASIDE, TABLES, HandFolded
from tests.unit.projections.stories import BEGIN, PRESETS, PlainLog, Stories, an_id

GOOD = Codec.local()
BOMB = b"\0\0\0\0\4" + b"\x80\x80\x80\x80\x10"
EVERYTHING = (*TABLES, SET_ASIDE, "infra.dead_lettered", "infra.checkpoints")

NOT_OURS = {
    "null_value": None,
    "empty_value": b"",
    "wrong_magic": b"{}",
    "too_short": b"\0\0\0",
}
UNDECODABLE = {
    "unknown_schema_id": b"\0\0\0\xff\xff" + b"x" * 30,
    "truncated_value": b"\0\0\0\0\1" + b"\x48short",
    "oversized_value": b"\0\0\0\0\1" + b"x" * 1_000_000,
}


def letters(folded: HandFolded) -> list[tuple[str, str, str]]:
    """Code, kind and key of each dead letter."""
    return [
        (letter.headers["dl-code"], letter.headers["dl-error-kind"], (letter.record.key or b"").decode())
        for letter in folded.letters.letters
    ]


def set_aside(folded: HandFolded) -> list[tuple[object, ...]]:
    return list(folded.rows("infra.quarantine", '"offset", code, blocking', '"offset"'))


def statuses(folded: HandFolded) -> dict[object, object]:
    return dict(folded.rows("assets_v2.assets", "asset_id, status"))


def key(stories: Stories, asset: object) -> bytes:
    return str(stories.asset_id(asset)).encode()


@pytest.mark.parametrize("code", NOT_OURS)
async def test_what_is_no_record_of_ours_gets_a_letter_and_holds_nobody_up(
    folded: HandFolded, stories: Stories, code: str
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    story = stories.whole("sea", ada)
    log.append(story[0])
    log.put(key(stories, "sea"), NOT_OURS[code])
    log.append(*story[1:])
    folded.apply(list(log.records()))
    assert letters(folded) == [(code, "not_ours", str(stories.asset_id("sea")))]
    assert set_aside(folded) == []
    assert statuses(folded) == {stories.asset_id("sea"): "ready"}


@pytest.mark.parametrize("code", UNDECODABLE)
@pytest.mark.parametrize("size", [1, 100])
async def test_what_cant_be_decoded_is_set_aside_with_the_later_ones_of_its_key(
    folded: HandFolded, stories: Stories, code: str, size: int
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada)[:2])
    bad = log.put(key(stories, "sea"), UNDECODABLE[code])
    log.append(*stories.whole("sea", ada)[2:], *stories.whole("sky", ada))
    records = list(log.records())
    folded.apply(*(records[start : start + size] for start in range(0, len(records), size)))
    assert letters(folded) == [(code, "undecodable", str(stories.asset_id("sea")))]
    assert set_aside(folded) == [(2, code, True), (3, "follows", False), (4, "follows", False)]
    assert statuses(folded) == {stories.asset_id("sea"): "uploaded", stories.asset_id("sky"): "ready"}
    (letter,) = folded.letters.letters
    assert letter.record.value == bad.value
    assert (letter.headers["dl-partition"], letter.headers["dl-offset"]) == (str(bad.partition), "2")
    assert letter.headers["dl-component"] == "projector"
    assert folded.positions == {number: len(part) for number, part in enumerate(log.partitions)}


async def test_bytes_in_the_tail_and_array_bombs_are_undecodable(
    folded: HandFolded, stories: Stories
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    event = stories.requested("sea", ada)
    log.put(key_of(event), GOOD.encode(event) + b"tail")
    log.put(key(stories, "sky"), BOMB)
    folded.apply(list(log.records()))
    assert sorted(code for code, _, _ in letters(folded)) == ["trailing_bytes", "truncated_value"]
    assert statuses(folded) == {}


async def test_a_type_of_tomorrow_is_counted_and_skipped(folded: HandFolded, stories: Stories) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    folded.apply(list(log.records()))
    tomorrow = GOOD.encode(PresetSetActivated(event_id=an_id("x"), occurred_at=BEGIN, preset_set=PRESETS))
    folded.apply([log.put(key(stories, "sea"), tomorrow)])
    assert folded.folded[-1].skipped == {"PresetSetActivated": 1}
    assert (letters(folded), set_aside(folded)) == ([], [])


async def test_a_record_in_another_assets_place_is_nobodys_story(
    folded: HandFolded, stories: Stories
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    event = stories.requested("sea", ada)
    home = log.put(key_of(event), None).partition
    value = GOOD.encode(event)
    log.put(key_of(event), value, partition=(home + 1) % 4)
    log.put(key(stories, "sky"), value)
    log.put(None, value)
    folded.apply(list(log.records()))
    assert sorted(code for code, _, _ in letters(folded)) == ["misplaced"] * 3 + ["null_value"]
    assert statuses(folded) == {}
    assert set_aside(folded) == []


@pytest.mark.parametrize("spoil", ["a byte", "another field", "no seal"])
async def test_a_broken_seal_is_corruption_never_a_null(
    folded: HandFolded, stories: Stories, spoil: str
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    event = stories.requested("sea", ada)
    sealed = event.sealed_words or b""
    sealed = {
        "a byte": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "another field": stories.ready("sea", ada).sealed_facts or b"",
        "no seal": b"{}",
    }[spoil]
    log.append(replace(event, sealed_words=sealed), stories.completed("sea", ada), *stories.whole("sky", ada))
    folded.apply(list(log.records()))
    assert letters(folded) == [("seal_broken", "internal", str(stories.asset_id("sea")))]
    assert statuses(folded) == {stories.asset_id("sky"): "ready"}
    assert [(code, blocking) for _, code, blocking in set_aside(folded)] == [
        ("seal_broken", True),
        ("follows", False),
    ]


async def test_an_unknown_key_is_an_outage_never_a_null(folded: HandFolded, stories: Stories) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    away = InMemorySubjectKeys()
    folded.use(away)
    with pytest.raises(UnknownKey):
        folded.apply(list(log.records()))
    assert (statuses(folded), letters(folded), set(folded.positions.values())) == ({}, [], {0})
    folded.use(stories.keys)
    folded.apply(list(log.records()))
    assert statuses(folded) == {stories.asset_id("sea"): "ready"}


async def test_rows_that_no_table_takes_are_found_among_many_and_set_aside(
    folded: HandFolded, stories: Stories
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    folded.conn.execute("alter table assets_v2.assets add check (title <> 'Title 13')")
    for number in range(20):
        log.append(*stories.whole(number, ada))
    folded.apply(list(log.records()))
    expected = {stories.asset_id(number): "ready" for number in range(20) if number != 13}
    assert statuses(folded) == expected
    assert letters(folded) == [("fold_failed", "internal", str(stories.asset_id(13)))]
    assert [blocking for _, _, blocking in set_aside(folded)] == [True, False, False, False]
    assert folded.letters.letters[0].headers["dl-stack-hash"]


async def test_no_letter_no_commit(folded: HandFolded, stories: Stories) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.append(*stories.whole("sea", ada))
    log.put(key(stories, "sky"), b"")
    folded.letters.failing = True
    with pytest.raises(DeadLetterNotWritten):
        folded.apply(list(log.records()))
    assert (statuses(folded), set(folded.positions.values())) == ({}, {0})
    folded.letters.failing = False
    folded.apply(list(log.records()))
    assert [code for code, _, _ in letters(folded)] == ["empty_value"]


async def test_a_replay_sets_the_same_aside_and_says_nothing_twice(
    folded: HandFolded, stories: Stories
) -> None:
    ada, log = await stories.owner("ada"), PlainLog(4)
    log.put(key(stories, "sea"), b"garbage")
    log.put(key(stories, "sky"), UNDECODABLE["truncated_value"])
    log.append(*stories.whole("sea", ada), *stories.whole("sky", ada))
    folded.apply(list(log.records()))
    before = folded.dump(*EVERYTHING)
    operating.reset(folded.conn, folded.loop)
    assert set_aside(folded) == []
    folded.open()
    folded.apply(*([record] for record in log.records()))
    assert folded.dump(*EVERYTHING) == before
    assert len(folded.letters.letters) == 2

"""What a batch of the identity log does in memory: verdicts, states, and what became of sessions and keys."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any
from uuid import uuid4

import pytest

from adapters.sealing import SealBroken
from adapters.subject_keys import UnknownKey
from projections.accounts.clear import ClearAccounts
from projections.folding import Given, fold_batch
from projections.lives import Parts, changed_parts
from projections.of_identity import STREAMS, Folded, account_of
from projections.records import Read, Record
from schemas.account_state import AccountState, SessionState
from schemas.events import IdentityEvent
from schemas.partitioner import partition_for
from tests.unit.projections.account_stories import AccountStories

PARTITIONS = 12
MINUTES_OF_A_DAY = 24 * 60


@pytest.fixture
def stories() -> AccountStories:
    return AccountStories()


def batch(events: Sequence[IdentityEvent]) -> list[Read[IdentityEvent]]:
    """The events as records, each at home."""
    keys = [event.account_key.encode() for event in events]
    return [
        Read(Record(partition_for(key, PARTITIONS), offset, 0, key, b"", list), event)
        for offset, (key, event) in enumerate(zip(keys, events, strict=True))
    ]


def folded(
    events: Sequence[IdentityEvent],
    states: Mapping[str, AccountState] | None = None,
    clear: ClearAccounts | None = None,
) -> Folded:
    given: Given[str, AccountState, IdentityEvent] = Given(
        streams=STREAMS,
        partitions=PARTITIONS,
        states=states or {},
        blocked=frozenset(),
        check=clear.check if clear else lambda _event: None,
        condemned={},
    )
    return fold_batch(batch(events), given)


def sessions_of(result: Folded) -> Parts[SessionState]:
    return changed_parts(result, attrgetter("sessions"), attrgetter("session_id"))


async def test_a_registration_that_lost_changes_the_state_and_is_not_accepted(
    stories: AccountStories,
) -> None:
    first, second = await stories.person("ada"), await stories.person("ada", 1)
    result = folded([stories.registered(first), stories.registered(second)])
    assert [applied.accepted for applied in result.applied] == [True, False]
    (changed,) = result.changed.values()
    assert (changed.offset, changed.state.lost) == (1, (second.user_id,))


async def test_what_stands_under_another_key_or_in_another_partition_is_not_its_story(
    stories: AccountStories,
) -> None:
    ada = await stories.person("ada")
    (read,) = batch([stories.registered(ada)])
    elsewhere = read.record._replace(partition=(read.record.partition + 1) % PARTITIONS)
    other = read.record._replace(key=stories.account_key("ben").encode())
    nobody = read.record._replace(key=str(ada.user_id).encode())
    given: Given[str, AccountState, IdentityEvent] = Given(
        streams=STREAMS,
        partitions=PARTITIONS,
        states={},
        blocked=frozenset(),
        check=lambda _event: None,
        condemned={},
    )
    wrong: list[Read[IdentityEvent]] = [Read(record, read.event) for record in (elsewhere, other, nobody)]
    result = fold_batch(wrong, given)
    assert [aside.code for aside in result.set_aside] == ["misplaced"] * 3
    assert not result.applied


@pytest.mark.parametrize("key", [None, b"", b"f" * 63, b"f" * 65, b"F" * 64, b"\xff" * 64, b"g" * 64])
def test_a_key_that_is_no_accounts_names_none(key: bytes | None) -> None:
    assert account_of(key) is None
    assert account_of(b"0f" * 32) == "0f" * 32


async def test_only_what_has_changed_of_a_life_is_written(stories: AccountStories) -> None:
    ada = await stories.person("ada")
    first = folded([stories.registered(ada), stories.started(ada, "phone"), stories.started(ada, "laptop")])
    states = {key: one.state for key, one in first.changed.items()}
    second = folded([stories.refreshed(ada, 0, "phone"), stories.refreshed(ada, 0, "phone", 9)], states)
    ((account_key, user_id, session_id, session),) = sessions_of(second).each()
    assert (account_key, user_id) == (ada.account_key, ada.user_id)
    assert (session_id, session.presented) == (stories.session_id(ada, "phone"), 0)
    assert not sessions_of(folded([stories.role(ada, 1)], states)).changed


async def test_a_life_that_ends_takes_its_sessions_along_and_leaves_the_next_ones(
    stories: AccountStories,
) -> None:
    ada, eve = await stories.person("ada"), await stories.person("ada", 1)
    result = folded(
        [
            stories.registered(ada),
            stories.started(ada),
            stories.erased(ada),
            stories.registered(eve),
            stories.started(eve),
        ]
    )
    parts = sessions_of(result)
    assert parts.ended == {ada.account_key}
    assert [(user_id, session_id) for _, user_id, session_id, _ in parts.each()] == [
        (eve.user_id, stories.session_id(eve, 0))
    ]
    assert sessions_of(folded([stories.registered(ada), stories.started(ada), stories.erased(ada)])).ended


async def test_a_session_that_begins_and_is_left_out_in_one_batch_has_its_row(
    stories: AccountStories,
) -> None:
    """Or the rows of a replay, whose batches span months, would lack it."""
    ada = await stories.person("ada")
    story: list[IdentityEvent] = [
        stories.registered(ada),
        stories.started(ada, "old"),
        stories.started(ada, "new", at=40 * MINUTES_OF_A_DAY),
    ]
    at_once = folded(story)
    (changed,) = at_once.changed.values()
    assert changed.state.life is not None
    assert changed.state.life.session(stories.session_id(ada, "old")) is None
    assert {session_id for _, _, session_id, _ in sessions_of(at_once).each()} == {
        stories.session_id(ada, "old"),
        stories.session_id(ada, "new"),
    }


async def test_what_is_sealed_is_opened_only_where_it_counts(stories: AccountStories) -> None:
    """A registration that lost is nobody's: its key may be gone, or never have been there."""
    ada, eve = await stories.person("ada"), await stories.person("ada", 1)
    lost = stories.registered(eve)
    stories.keys.erase(eve.user_id)  # type: ignore[attr-defined]  # the twin's own
    foreign = ClearAccounts(AccountStories().keys)
    assert len(folded([stories.registered(ada), lost], clear=ClearAccounts(stories.keys)).applied) == 2
    with pytest.raises(UnknownKey):
        folded([stories.registered(ada)], clear=foreign)


async def test_a_broken_seal_blocks_its_account_and_nobody_elses(stories: AccountStories) -> None:
    ada, ben = await stories.person("ada"), await stories.person("ben")
    broken = stories.password(ada, 1)
    swapped: Any = type(broken)(
        **{name: getattr(broken, name) for name in broken.__slots__ if name != "sealed_password_hash"},
        sealed_password_hash=stories.registered(ada).sealed_address,
    )
    story = [stories.registered(ada), swapped, stories.role(ada, 1), stories.registered(ben)]
    result = folded(story, clear=ClearAccounts(stories.keys))
    assert [(aside.kind, aside.code) for aside in result.set_aside] == [
        ("internal", "seal_broken"),
        ("follows", "follows"),
    ]
    assert set(result.changed) == {ada.account_key, ben.account_key}


async def test_clear_texts_are_opened_once_and_forgotten(stories: AccountStories) -> None:
    olga = await stories.person("olga")  # which no hexadecimal id can spell
    clear = ClearAccounts(stories.keys)
    sealed = stories.registered(olga).sealed_address
    assert clear.text(olga.user_id, "sealed_address", sealed) == "olga"
    stories.keys.erase(olga.user_id)  # type: ignore[attr-defined]  # the twin's own
    assert clear.text(olga.user_id, "sealed_address", sealed) == "olga"
    clear.forget()
    assert "olga" not in repr(vars(clear))
    assert clear.text(olga.user_id, "sealed_address", sealed) is None
    with pytest.raises((SealBroken, UnknownKey)):
        clear.text(uuid4(), "sealed_address", sealed)

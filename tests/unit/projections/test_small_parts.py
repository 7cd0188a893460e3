"""The parts that stand alone: statements, a member's name, versions, what may be told of a bug."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.faults import fault_of
from adapters.sealing import SealBroken
from adapters.subject_keys import UnknownKey
from projections import forms
from projections.account_activity import projection as account_activity
from projections.account_states import projection as account_states
from projections.accounts import projection as accounts
from projections.activity.projection import TABLE as ACTIVITY_TABLE
from projections.api_keys import projection as api_keys
from projections.assets.clear import ClearText
from projections.assets.projection import TABLE as ASSETS_TABLE
from projections.erasures import projection as erasures
from projections.jobs.projection import TABLE as JOBS_TABLE
from projections.lifecycle.projection import TABLE as STATES_TABLE
from projections.links import projection as links
from projections.membership import Membership
from projections.of_assets import STREAMS
from projections.operation_states import projection as operation_states
from projections.preset_sets import projection as preset_sets
from projections.records import Reading, Record
from projections.runs import projection as runs
from projections.sessions import projection as sessions
from projections.statements import statements
from projections.tables import Table
from schemas.account_state import AccountState
from schemas.asset_state import AssetState
from schemas.codec import Codec
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.events import PresetSetActivated
from schemas.state_codec import state_format
from tests.unit.projections.later_stories import Later
from tests.unit.projections.stories import BEGIN, PRESETS, Stories, an_id


def test_each_statement_has_its_name() -> None:
    found = statements("checkpoints.sql")
    assert {"ensure", "read", "lock", "advance"} <= found.keys()
    assert all(body.strip() and b"-- name" not in body for body in found.values())


def test_a_member_keeps_its_name_and_shares_it_with_nobody(tmp_path: Path) -> None:
    first = Membership(tmp_path)
    second = Membership(tmp_path)
    assert first.name is not None
    assert second.name is None
    first.close()
    third = Membership(tmp_path)
    assert third.name == first.name
    second.close()
    third.close()


def test_a_new_form_of_the_state_needs_a_new_version_of_its_rows() -> None:
    """When this fails, give forms.LIFECYCLE its next version, and say here what the form is now."""
    assert (forms.LIFECYCLE.version, state_format(AssetState)) == (3, "101f77e47a5d9426")


def test_the_same_for_the_states_of_accounts() -> None:
    form = (forms.ACCOUNT_STATES.version, state_format(AccountState))
    assert form == (3, "7d0326a5e2a4828e")


@pytest.mark.parametrize(
    "table",
    [
        ACTIVITY_TABLE,
        ASSETS_TABLE,
        JOBS_TABLE,
        STATES_TABLE,
        account_activity.TABLE,
        account_states.TABLE,
        accounts.TABLE,
        api_keys.TABLE,
        erasures.TABLE,
        links.TABLE,
        operation_states.TABLE,
        preset_sets.TABLE,
        runs.TABLE,
        sessions.TABLE,
    ],
    ids=lambda table: table.name,
)
def test_every_column_is_written(table: Table) -> None:
    body = table.model.tables.split(f"create table {table.name} (")[1].split("\n);")[0]
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    columns = [line.split()[0].strip('"') for line in lines if not line.startswith("primary key")]
    assert sorted(columns) == sorted(table.columns)
    assert table.key in table.columns


def test_a_faults_words_are_its_own_affair() -> None:
    def fails() -> None:
        raise ValueError("Ada's holiday")

    faults = []
    for _ in range(2):
        try:
            fails()
        except ValueError as error:
            faults.append(fault_of(error))
    assert faults[0].stack_hash == faults[1].stack_hash
    assert "holiday" not in repr(faults[0])
    assert faults[0].error == "ValueError"


def record(value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> Record:
    return Record(0, 0, 0, b"key", value, lambda: headers)


def test_an_event_of_another_topic_is_of_a_type_that_nobody_here_knows() -> None:
    foreign = PresetSetActivated(event_id=an_id("x"), occurred_at=BEGIN, preset_set=PRESETS)
    value = Codec.local().encode(foreign)
    for read in Reading(Codec.local(), STREAMS.events).read_all([record(value)] * 3):
        assert isinstance(read.event, UnknownEventType)
        assert read.event.full_name == "PresetSetActivated"


async def test_headers_are_looked_at_where_a_schema_is_first_met() -> None:
    stories = Stories()
    value = Codec.local().encode(stories.requested("sea", await stories.owner("ada")))
    asked = []

    def lying() -> list[tuple[str, bytes]]:
        asked.append(1)
        return [("ce_type", b"darkroom.assets.SomethingElse")]

    good, liar = (
        record(value, [("ce_type", b"darkroom.assets.UploadRequested")]),
        Record(0, 1, 0, b"", value, lying),
    )
    first, then = Reading(Codec.local(), STREAMS.events).read_all([liar, good])
    assert isinstance(first.event, DecodeError)
    assert first.event.code == "wrong_schema"
    assert not isinstance(then.event, DecodeError)
    known = Reading(Codec.local(), STREAMS.events)
    known.read_all([good])
    asked.clear()
    assert not isinstance(known.read_all([liar])[0].event, DecodeError)
    assert asked == []


async def test_clear_text_is_forgotten_after_its_batch() -> None:
    stories = Stories()
    ada = await stories.owner("ada")
    event = stories.requested("sea", ada)
    clear = ClearText(stories.keys)
    assert clear.words(ada, event.sealed_words).title == "Title sea"
    clear.forget()
    assert "Title" not in repr(vars(clear))


async def test_words_that_do_not_open_are_found_before_any_row_is_written() -> None:
    stories = Stories()
    ada = await stories.owner("ada")
    event = Later(stories, "sea", ada).updated(2)
    clear = ClearText(stories.keys)
    clear.check(event)
    broken = replace(event, sealed_words=event.sealed_words[:-1] + bytes([event.sealed_words[-1] ^ 1]))
    with pytest.raises(SealBroken):
        clear.check(broken)


async def test_words_that_were_opened_for_their_owner_are_nobody_elses() -> None:
    stories = Stories()
    ada, ben = await stories.owner("ada"), await stories.owner("ben")
    sealed = stories.requested("sea", ada).sealed_words
    clear = ClearText(stories.keys)
    assert clear.words(ada, sealed).title == "Title sea"
    with pytest.raises((SealBroken, UnknownKey)):
        clear.words(ben, sealed)
    assert clear.words(ada, sealed).title == "Title sea"

"""What people do to an asset once it is asked for, one rule a test: words, trash, links, expiry, purge."""

import dataclasses
from uuid import uuid4

import pytest

from schemas.lifecycle import AssetState, evolve
from tests.unit.schemas.asset_events import (
    LINKS,
    asked_again,
    at,
    completed,
    deaf_to,
    deleted,
    discarded,
    expired,
    folded,
    issued,
    job_deleted,
    purged,
    ready,
    requested,
    restored,
    revoked,
    started,
    updated,
)

ASKED = folded([requested()])
READY = folded([requested(), completed(), started(), ready()])
TRASHED = folded([deleted(2)], READY)
ABORTED = folded([expired(5, "aborted")], ASKED)
EXPIRED = folded([expired(5)], ASKED)


def test_an_upload_that_never_came_says_so() -> None:
    assert (EXPIRED.status, EXPIRED.version, EXPIRED.error) == ("expired", 1, ("expired", "expired"))
    assert (ABORTED.status, ABORTED.version, ABORTED.error) == ("expired", 2, ("expired", "aborted"))
    assert deaf_to(EXPIRED, expired(9))
    assert deaf_to(ASKED, expired(9, upload=1))


def test_a_completion_beats_an_expiry_in_either_order() -> None:
    """U06: so whoever expires uploads can't take away what came in the last moment."""
    late = folded([completed(9)], EXPIRED)
    assert (late.status, late.expired, late.error) == ("uploaded", None, None)
    assert deaf_to(late, expired(10))
    assert deaf_to(folded([completed()], ASKED), expired(9))
    assert deaf_to(folded([completed()], ASKED), expired(9, "aborted"))


def test_an_abort_is_final_where_it_came_first() -> None:
    assert deaf_to(ABORTED, completed(9))
    assert deaf_to(ABORTED, expired(9))
    assert deaf_to(ABORTED, expired(9, "aborted"))
    assert deaf_to(ASKED, expired(9, "aborted", expected_version=7))
    also = folded([expired(9, "aborted", expected_version=1)], EXPIRED)
    assert also.error == ("expired", "aborted")


def test_words_change_on_their_version_alone() -> None:
    changed = folded([updated(2, words=b"new")], READY)
    assert (changed.sealed_words, changed.version) == (b"new", 3)
    for version in (None, 1, 2, 4):
        assert deaf_to(changed, updated(version, words=b"old"))
    assert folded([updated(1)], ASKED).version == 2


def test_into_the_trash_and_out_of_it() -> None:
    assert (TRASHED.deleted_at, TRASHED.status, TRASHED.version) == (at(6), "ready", 3)
    for event in (deleted(3), updated(3), asked_again(), issued(), restored(None), restored(2)):
        assert deaf_to(TRASHED, event)
    back = folded([restored(3)], TRASHED)
    assert (back.deleted_at, back.version, back.served) == (None, 4, READY.served)
    assert deaf_to(back, restored(4))
    assert deaf_to(back, deleted(2))
    assert deaf_to(READY, deleted(None))


def test_work_that_is_under_way_ends_in_the_trash_too() -> None:
    state = folded([requested(), completed(), deleted(2), started(), ready()])
    assert (state.status, state.deleted_at) == ("ready", at(6))


def test_whose_time_in_the_trash_is_over_does_not_come_back() -> None:
    """The purge that follows holds on any version, and can't hit what somebody has taken back."""
    assert deaf_to(READY, deleted(2, code="expired"))
    doomed = folded([deleted(3, code="expired")], TRASHED)
    assert (doomed.doomed, doomed.deleted_at, doomed.version) == (True, at(6), 4)
    for event in (restored(4), deleted(4), deleted(4, code="expired"), updated(4), asked_again()):
        assert deaf_to(doomed, event)
    saved = folded([restored(3)], TRASHED)
    assert deaf_to(saved, deleted(3, code="expired"))


def test_a_link_is_issued_and_revoked_once() -> None:
    shared = folded([issued(variant="small", expires_at=at(50))], READY)
    (link,) = shared.links
    assert (link.link_id, link.variant, link.expires_at, link.revoked_at) == (LINKS[0], "small", at(50), None)
    assert shared.version == 3
    assert deaf_to(shared, issued(9))
    assert deaf_to(shared, revoked(link=1))
    ended = folded([revoked(8)], folded([issued(link=1)], shared))
    assert [one.revoked_at for one in ended.links] == [at(8), None]
    for event in (revoked(9), issued(9), issued(9, link=1)):
        assert deaf_to(ended, event)
    assert deaf_to(ASKED, issued())
    assert folded([deleted(3), revoked(9)], shared).links[0].revoked_at == at(9)


@pytest.mark.parametrize(
    "event", [expired(code="aborted"), asked_again(), job_deleted(), issued(), revoked()]
)
def test_what_was_decided_on_another_version_is_ignored(event: object) -> None:
    state = folded([issued(link=1)], folded([requested(), completed()]))
    decided = dataclasses.replace(event, expected_version=state.version - 1)  # type: ignore[type-var]
    assert deaf_to(state, decided)  # type: ignore[arg-type]  # asset events, all of them


def test_what_nobody_in_person_caused_raises_no_version() -> None:
    assert folded([asked_again(actor_id=None)], READY).version == READY.version
    assert folded([asked_again()], READY).version == READY.version + 1


def test_a_discarded_record_is_none_of_the_assets_business() -> None:
    assert deaf_to(READY, discarded())
    assert evolve(None, discarded()) is None


@pytest.mark.parametrize(
    "state",
    [EXPIRED, ABORTED, TRASHED, folded([issued(), asked_again()], READY)],
    ids=["expired", "aborted", "trashed", "shared"],
)
def test_of_a_purged_asset_nothing_is_left_but_that_it_was(state: AssetState) -> None:
    """R28: whatever comes after it, nothing returns."""
    gone = folded([purged(9)], state)
    assert (gone.links, gone.sealed_words, gone.kept, gone.deleted_at) == ((), None, (), None)
    assert (gone.expired, gone.status) == (None, "purged")
    version = gone.version
    for event in (restored(version), updated(version), deleted(version), issued(9), revoked(9), expired(9)):
        assert deaf_to(gone, event)
    assert deaf_to(gone, asked_again(9))
    assert deaf_to(gone, dataclasses.replace(expired(9, "aborted"), event_id=uuid4()))

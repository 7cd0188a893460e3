"""Refresh families under any interleaving of doors, lags, lost answers, repeats and a thief (A10 to A13).

Two doors look at read models that lag as they like, and append to one log. The owner of a session presents
its newest token, over several tabs and after answers that were lost; a thief presents whatever was given out.
"""

from dataclasses import dataclass
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from schemas.account import AccountState, evolve
from schemas.account_state import SessionState
from schemas.events import IdentityEvent
from tests.unit.schemas.account_events import folded, refreshed, registered, revoked, session_of, started

DOORS = st.integers(0, 1)


@dataclass
class Door:
    """What one door sees: the log up to `applied`."""

    applied: int = 2

    def view(self, log: list[IdentityEvent]) -> SessionState:
        return session_of(folded(log[: self.applied]))


class Families(RuleBasedStateMachine):
    """`log` is one account's, `tokens` what was given out, by generation."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[IdentityEvent] = [registered(), started()]
        self.doors = [Door(), Door()]
        self.given = {0}
        self.newest = 0  # that the owner holds
        self.thief = False
        self.proven = False  # an older token was shown when its successor had been
        self.ended = False
        self.highest = -1

    def present(self, door: Door, generation: int) -> int | None:
        """What a door does: the generation that it answers with, None where it refuses."""
        session = door.view(self.log)
        if session.revoked_code is not None:
            return None
        if generation < session.presented:
            self.log.append(revoked(code="reuse", event_id=uuid4()))
            self.proven = True
            return None
        if generation > session.presented:
            # As far as this door knows. The log knows better, and its word comes later.
            self.proven = self.proven or generation < session_of(folded(self.log)).presented
            self.log.append(refreshed(generation, event_id=uuid4()))
        self.given.add(generation + 1)
        return generation + 1

    @rule(door=DOORS)
    def the_owner_refreshes(self, door: int) -> None:
        answer = self.present(self.doors[door], self.newest)
        if not self.thief:
            assert answer == self.newest + 1, "nobody but a thief logs the owner out"
        if answer is not None:
            self.newest = answer

    @rule(door=DOORS)
    def an_answer_is_lost(self, door: int) -> None:
        self.present(self.doors[door], self.newest)

    @rule(doors=st.lists(DOORS, min_size=2, max_size=4))
    def tabs_refresh_at_once(self, doors: list[int]) -> None:
        answers = {self.present(self.doors[door], self.newest) for door in doors}
        if not self.thief:
            assert answers == {self.newest + 1}, "all tabs get the same"
        self.newest = max((answer for answer in answers if answer is not None), default=self.newest)

    @rule(door=DOORS, back=st.integers(0, 4))
    def a_thief_presents(self, door: int, back: int) -> None:
        self.thief = True
        known = sorted(self.given)
        self.present(self.doors[door], known[max(0, len(known) - 1 - back)])

    @rule(door=DOORS, records=st.integers(1, 5))
    def a_read_model_catches_up(self, door: int, records: int) -> None:
        at = self.doors[door]
        at.applied = min(len(self.log), at.applied + records)

    @rule(place=st.integers(0, 50))
    def a_record_is_repeated(self, place: int) -> None:
        before = folded(self.log)
        self.log.append(self.log[place % len(self.log)])
        assert folded(self.log) == before

    @precondition(lambda self: self.thief)
    @rule()
    def an_older_token_is_shown_to_a_door_that_is_up_to_date(self) -> None:
        door = Door(applied=len(self.log))
        session = door.view(self.log)
        if session.presented > 0:
            assert self.present(door, session.presented - 1) is None
            self.proven = True

    @invariant()
    def what_is_proven_ends_the_family_for_ever(self) -> None:
        session = session_of(folded(self.log))
        assert (session.revoked_code is not None) == self.proven or self.ended
        assert not (self.ended and session.revoked_code is None)
        self.ended = self.ended or session.revoked_code is not None

    @invariant()
    def generations_only_grow_and_each_was_earned(self) -> None:
        session = session_of(folded(self.log))
        assert session.presented >= self.highest
        self.highest = session.presented
        if not self.ended:
            assert max(self.given) == session.presented + 1, "no successor without its presentation"

    @invariant()
    def every_prefix_folds_alike(self) -> None:
        state: AccountState | None = None
        for event in self.log:
            state = evolve(state, event)
        assert state == folded(self.log)


TestFamilies = Families.TestCase
TestFamilies.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

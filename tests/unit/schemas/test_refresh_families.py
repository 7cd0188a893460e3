"""Refresh families under any interleaving of doors, lags, lost answers, repeats and a thief (A10 to A14).

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
from schemas.events import IdentityEvent, SessionRefreshed
from schemas.identity import refresh_id
from tests.unit.schemas.account_events import (
    folded,
    refreshed,
    registered,
    revoked,
    session_id,
    session_of,
    started,
)

DOORS = st.integers(0, 1)


@dataclass
class Door:
    """What one door sees: the log up to `applied`."""

    applied: int = 2

    def view(self, log: list[IdentityEvent]) -> SessionState:
        return session_of(folded(log[: self.applied]))


class Families(RuleBasedStateMachine):
    """`log` is one account's, `given` the generations that were given out."""

    may_land = True
    robbed = True

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
        self.hanging: list[SessionRefreshed] = []

    def presentation(self, generation: int) -> SessionRefreshed:
        """As the doors say it."""
        return refreshed(generation, event_id=refresh_id(session_id(), generation))

    def append(self, event: SessionRefreshed) -> None:
        """Notes besides what the fold has to find out by itself."""
        new = event.event_id not in {said.event_id for said in self.log}
        old = event.presented_generation < session_of(folded(self.log)).presented
        self.proven = self.proven or (new and old)
        self.log.append(event)

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
            self.append(self.presentation(generation))
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

    @rule(door=DOORS)
    def an_append_hangs(self, door: int) -> None:
        """The door died, or gave up; whether its record comes to stand in the log is open (A14)."""
        session = self.doors[door].view(self.log)
        if session.revoked_code is None and self.newest > session.presented:
            self.hanging.append(self.presentation(self.newest))

    @precondition(lambda self: self.hanging and self.may_land)
    @rule()
    def it_lands_late(self) -> None:
        self.append(self.hanging.pop())

    @rule(doors=st.lists(DOORS, min_size=2, max_size=4))
    def tabs_refresh_at_once(self, doors: list[int]) -> None:
        answers = {self.present(self.doors[door], self.newest) for door in doors}
        if not self.thief:
            assert answers == {self.newest + 1}, "all tabs get the same"
        self.newest = max((answer for answer in answers if answer is not None), default=self.newest)

    @precondition(lambda self: self.robbed)
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
    def nobody_but_a_thief_ends_it(self) -> None:
        assert self.thief or session_of(folded(self.log)).revoked_code is None

    @invariant()
    def generations_only_grow_and_each_was_earned(self) -> None:
        session = session_of(folded(self.log))
        assert session.presented >= self.highest
        self.highest = session.presented
        if not self.ended:
            assert max(self.given) <= session.presented + 1, "no successor without its presentation"

    @invariant()
    def every_prefix_folds_alike(self) -> None:
        state: AccountState | None = None
        for event in self.log:
            state = evolve(state, event)
        assert state == folded(self.log)


class Strict(Families):
    """Doors that say each presentation under an id of its own: then reuse is found in the log alone.

    The price is that an append that lands late looks like reuse, which is why our doors don't.
    """

    may_land = False

    def presentation(self, generation: int) -> SessionRefreshed:
        return refreshed(generation, event_id=uuid4())


class Honest(Families):
    """Without a thief, whom every longer story has otherwise."""

    robbed = False


TestFamilies = Families.TestCase
TestFamilies.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestHonest = Honest.TestCase
TestHonest.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestStrict = Strict.TestCase
TestStrict.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)

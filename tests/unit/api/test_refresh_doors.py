"""Refresh families at the doors, whatever owners, thieves, lagging read models and two doors do."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.api.doors import Stage, stage
from tests.unit.api.people import Person, somebody

T = TypeVar("T")


class Family(RuleBasedStateMachine):
    """One session, and its highest generation presented: in the log, in the rows, at the door in use."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.entering = stage(RATE_STRANGERS="off", RATE_REGISTRATIONS="off")
        self.on: Stage = self.run(self.entering.__aenter__())
        self.ada: Person = self.run(somebody(self.on))
        self.tokens = [self.ada.refresh]
        self.logged = self.known = self.here = -1
        self.ended = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.entering.__aexit__(None, None, None))
        self.loop.close()

    def present(self, generation: int) -> None:
        answer = self.run(self.ada.refreshed(self.tokens[generation]))
        aware = max(self.known, self.here)
        if self.ended or generation < aware:
            assert answer.status_code == 401, answer.text
            self.ended = True
            return
        assert answer.status_code == 200, answer.text
        successor = answer.json()["refresh_token"]
        if generation + 1 < len(self.tokens):
            assert successor == self.tokens[generation + 1]  # never a second branch
        else:
            self.tokens.append(successor)
        if generation > aware:
            self.here = generation
            self.logged = max(self.logged, generation)
        if self.on.accounts.following:
            self.known = self.logged

    @rule()
    def go_on(self) -> None:
        self.present(len(self.tokens) - 1)

    @rule()
    def lose_the_answer(self) -> None:
        self.present(max(0, len(self.tokens) - 2))

    @rule(data=st.data())
    def steal(self, data: st.DataObject) -> None:
        self.present(data.draw(st.integers(0, len(self.tokens) - 1)))

    @rule()
    def come_to_the_other_door(self) -> None:
        """It has seen none of this itself, and knows what the read models know."""
        self.on.parts.identity.presented.clear()
        self.here = -1

    @precondition(lambda self: self.on.accounts.following)
    @rule()
    def lag(self) -> None:
        self.on.accounts.following = False

    @rule()
    def catch_up(self) -> None:
        self.on.accounts.following = True
        self.known = self.logged

    @invariant()
    def the_newest_token_works_unless_the_family_has_ended(self) -> None:
        if self.ended:
            answer = self.run(self.ada.refreshed(self.tokens[-1]))
            assert answer.status_code == 401


Family.TestCase.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestFamily = Family.TestCase

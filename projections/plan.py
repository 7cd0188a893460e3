"""What a loop does with a batch: how it is folded, from which states, and into which rows."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from psycopg import Connection

from projections.folding import Folded, Streams
from projections.notices import Changes
from projections.shortcuts import Shortcut
from projections.states import States

_Id = TypeVar("_Id", bound=Hashable)
_State = TypeVar("_State")
_Event = TypeVar("_Event")
_Checked = TypeVar("_Checked", contravariant=True)

Writer: TypeAlias = Callable[[Connection[Any], str, Folded[_Id, _State, _Event]], None]
"""Takes the topic's name and puts what a batch changed into the rows of one read model."""


class Clear(Protocol[_Checked]):
    """Opens sealed fields, each once a batch."""

    def check(self, event: _Checked) -> None:
        """Opens what the event carries for the rows; raises SealBroken, UnknownKey."""
        ...

    def forget(self) -> None:
        """Lets go of all clear text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Generic[_Id, _State, _Event]):
    """One topic's plan; `writers` has the writer of each read model by its name.

    `told` says whose rows a batch changed, where doors remember them. `shortcut` is for who writes none of
    the `stepwise` read models, whose rows show a stream's state after each event.
    """

    streams: Streams[_Id, _State, _Event]
    states: States[_Id, _State]
    clear: Clear[_Event]
    writers: Mapping[str, Writer[_Id, _State, _Event]]
    told: Callable[[Folded[_Id, _State, _Event]], Changes] | None = None
    shortcut: Shortcut[_State, _Event] | None = None
    stepwise: frozenset[str] = frozenset()

    def shortcut_for(self, names: Iterable[str]) -> Shortcut[_State, _Event] | None:
        """What may be taken at once where these read models are written."""
        return self.shortcut if self.stepwise.isdisjoint(names) else None

    def changes(self, folded: Folded[_Id, _State, _Event]) -> Changes | None:
        """Whose rows the batch changed, all of them; None where nobody remembers any."""
        return None if self.told is None else self.told(folded)

    def only(self, names: Iterable[str]) -> "Plan[_Id, _State, _Event]":
        """The plan for these read models alone."""
        return replace(self, writers={name: self.writers[name] for name in names})

    def write(self, conn: Connection[Any], topic: str, folded: Folded[_Id, _State, _Event]) -> None:
        """Puts what a batch changed into the rows of every read model."""
        for writer in self.writers.values():
            writer(conn, topic, folded)

"""Streams that a batch meets from their beginning and takes at once, instead of folding event by event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

_State = TypeVar("_State", covariant=True)
_Event = TypeVar("_Event", contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut(Generic[_State, _Event]):
    """How most streams go: so many events, after which seldom any more come.

    `life` is what such events tell where nothing stands before them and the fold would accept each, and None
    wherever that is in doubt. `state_of` is the state that the fold would come to.
    """

    events: int
    life: Callable[[Sequence[_Event]], Any]
    state_of: Callable[[Any], _State]


class Whole(Generic[_State]):
    """A stream's change from nothing: its life, and its state for those who ask.

    Partition and offset are those of its last record.
    """

    __slots__ = ("_known", "_state_of", "life", "offset", "partition")

    before: Final = None

    def __init__(self, life: Any, state_of: Callable[[Any], _State], partition: int, offset: int) -> None:  # noqa: ANN401 - the streams' own
        self.life = life
        self.partition, self.offset = partition, offset
        self._state_of = state_of
        self._known: _State | None = None

    @property
    def state(self) -> _State:
        """What the fold would come to, made at the first call."""
        if self._known is None:
            self._known = self._state_of(self.life)
        return self._known

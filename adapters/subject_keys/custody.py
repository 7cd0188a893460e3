"""What operators' programs do with people's keys, and no door does: erase them, and wrap them anew.

A marker is final. It is told from a key by every view, whatever their order in the topic: a key that comes
behind its marker, as when a re-wrapping and an erasure cross each other, has its marker said again
(adapters.subject_keys.kafka) before compaction could drop it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from adapters import sealing
from adapters.clock import Clock, SystemClock, new_id
from adapters.event_log.protocol import LogUnavailable
from adapters.sealing import SealBroken
from adapters.settings.secrets import MasterKey
from adapters.subject_keys.kafka import KafkaSubjectKeys, KeyLog
from adapters.subject_keys.view import StoredKey
from schemas.envelope import Metadata
from schemas.events import SubjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrapped:
    """How many keys are wrapped anew, were so already, and can't be: their master key is missing or wrong."""

    done: int
    before: int
    unwrappable: int


class Custody:
    """Works on the view of `keys`, which must follow the topic; blocking, and safe to repeat at any time.

    `masters` are those of the settings: the first wraps, all unwrap.
    """

    def __init__(
        self,
        keys: KafkaSubjectKeys,
        log: KeyLog,
        masters: tuple[MasterKey, ...],
        *,
        source: str,
        clock: Clock | None = None,
    ) -> None:
        self._keys, self._view, self._log = keys, keys.view, log
        self._masters = {master.key_id: master for master in masters}
        self._first = masters[0]
        self._source, self._clock = source, clock or SystemClock()

    def wait_until_current(self, timeout: float) -> None:
        """Returns once all that the topic held when asked is known; raises LogUnavailable."""
        if not self._keys.wait_until_current(timeout):
            raise LogUnavailable("the key topic can't be read to its end")

    def living(self, user_id: UUID) -> list[UUID]:
        """The ids of this person's keys that are not erased, as far as the view knows."""
        return self._view.living(user_id)

    def all_of(self, user_id: UUID) -> list[UUID]:
        """The ids of all keys that this person ever had, as far as the view knows."""
        return self._view.all_of(user_id)

    def erase(self, user_id: UUID) -> list[UUID]:
        """Marks each living key of this person as erased, acknowledged; returns their ids.

        Raises what an append raises.
        """
        marked = self.living(user_id)
        for key_id in marked:
            marker = SubjectKey(
                event_id=new_id(),
                occurred_at=self._clock.now(),
                user_id=user_id,
                key_id=key_id,
                erased=True,
            )
            self._append(marker)
        return marked

    def rewrap(self, told: Callable[[int, int], None] = lambda _done, _of: None) -> Rewrapped:
        """Wraps every living key by the first master key; `told` hears how many are done, and of how many.

        One that was killed goes on: what it did shows in the topic. Raises what an append raises.
        """
        waiting = self._view.wrapped_otherwise(self._first.key_id)
        before = self._view.count_living() - len(waiting)
        done = unwrappable = 0
        for stored in waiting:
            if (event := self._anew(stored)) is None:
                unwrappable += 1
            elif not self._erased_meanwhile(stored):
                self._append(event)
                done += 1
            told(done, len(waiting))
        return Rewrapped(done=done, before=before, unwrappable=unwrappable)

    def _erased_meanwhile(self, stored: StoredKey) -> bool:
        known = self._view.key(stored.user_id, stored.key_id)
        return known is None or known.wrapped is None

    def _anew(self, stored: StoredKey) -> SubjectKey | None:
        master = self._masters.get(stored.master_key_id or "")
        if master is None:
            return None
        user_id, key_id = stored.user_id, stored.key_id
        try:
            key = sealing.unwrap(master, stored.wrapped, user_id=user_id, key_id=key_id)
        except SealBroken:
            return None
        return SubjectKey(
            event_id=new_id(),
            occurred_at=self._clock.now(),
            user_id=user_id,
            key_id=key_id,
            master_key_id=self._first.key_id,
            wrapped=sealing.wrap(self._first, key, user_id=user_id, key_id=key_id),
        )

    def _append(self, event: SubjectKey) -> None:
        self._log.append_sync(event, Metadata(correlation_id=new_id(), source=self._source))
        # It will come back by the topic; until then it is known from here.
        self._view.learn([event], {})

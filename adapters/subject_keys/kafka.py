"""People's data keys by the key topic and a local view of it."""

import asyncio
import hmac
import threading
from typing import Final, Protocol
from uuid import UUID, uuid4

import structlog

from adapters import sealing
from adapters.clock import Clock, SystemClock, new_id
from adapters.event_log.protocol import AppendFailed, LogUnavailable
from adapters.settings import Settings
from adapters.subject_keys.follower import KeyFollower
from adapters.subject_keys.protocol import KeyErased, UnknownKey
from adapters.subject_keys.view import KeyView, KnownKey
from adapters.telemetry import Loop
from adapters.telemetry.metrics import KeyMetrics, Metrics
from schemas.codec import Codec
from schemas.envelope import Metadata
from schemas.events import Event, SubjectKey
from schemas.positions import Position

# A key's record was acknowledged before anything sealed with it was: the view can be behind by moments only.
_CATCH_UP_SECONDS: Final = 2.0
# Together with an append it must stay within the time in which the doors answer.
_LOOK_AGAIN_SECONDS: Final = 0.4
_MOST_CACHED: Final = 100_000

log = structlog.get_logger(__name__)


class KeyLog(Protocol):
    """The part of an event log that keys need: appends with and without an event loop."""

    async def append(self, event: Event, metadata: Metadata) -> Position:
        """As EventLog says."""
        ...

    def append_sync(self, event: Event, metadata: Metadata) -> Position:
        """The same, blocking."""
        ...


class _DataKey:
    """A data key and what is made of it: its cipher and, by field, what is authenticated with a value."""

    __slots__ = ("bound", "cipher", "key")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.cipher = sealing.cipher_of(key)
        self.bound: dict[str, bytes] = {}


class KafkaSubjectKeys:
    """As the Protocol says.

    `event_log` is for those who may append: without one no keys are made and no markers are said again.
    """

    def __init__(
        self,
        settings: Settings,
        codec: Codec,
        event_log: KeyLog | None,
        *,
        component: str,
        metrics: KeyMetrics | None = None,
        clock: Clock | None = None,
        loop: Loop | None = None,
    ) -> None:
        """Opens the view in STATE_DIR; reads nothing before `start`."""
        self._masters = {master.key_id: master for master in settings.secrets.master_keys}
        self._master = settings.secrets.master_keys[0]
        self._log, self._clock, self._source = event_log, clock or SystemClock(), f"/{component}"
        self._metrics = metrics or Metrics().keys
        self._view = KeyView(settings.runtime.state_dir / "subject-keys.sqlite3")
        self._lock = threading.Lock()
        self._cache: dict[tuple[UUID, bytes], _DataKey | None] = {}
        self._chosen: dict[UUID, UUID] = {}
        self._making: dict[UUID, asyncio.Task[UUID]] = {}
        self._follower = KeyFollower(
            settings.kafka,
            codec,
            self._view,
            component=component,
            metrics=self._metrics,
            learned=self._forget_cached,
            current=self._repeat_markers,
            masters=self._masters.keys(),
            loop=loop or Loop(),
        )

    def start(self) -> None:
        """As the Protocol says."""
        self._follower.start()

    def close(self) -> None:
        """As the Protocol says."""
        self._follower.stop()
        self._view.close()

    @property
    def view(self) -> KeyView:
        """What is known of the topic, for adapters.subject_keys.custody."""
        return self._view

    def trouble(self) -> str | None:
        """Why keys may be missing, for a readiness probe; None when the view is at the topic's end."""
        return self._follower.trouble()

    def wait_until_current(self, timeout: float) -> bool:
        """As the Protocol says."""
        return self._follower.wait_until_current(timeout)

    async def data_key(self, user_id: UUID) -> UUID:
        """As the Protocol says."""
        if (chosen := self._chosen.get(user_id)) is not None:
            return chosen
        # Whoever asks at once shares one answer, good or bad: nobody queues for an outage's full length.
        if (making := self._making.get(user_id)) is None:
            making = self._making[user_id] = asyncio.create_task(self._found_or_made(user_id))
            making.add_done_callback(lambda done: self._settle(user_id, done))
        return await asyncio.shield(making)

    def seal(self, user_id: UUID, key_id: UUID, field: str, clear: bytes) -> bytes:
        """As the Protocol says."""
        key = self._living(user_id, key_id.bytes)
        return sealing.seal(key.key, user_id=user_id, key_id=key_id, field=field, clear=clear)

    def open(self, user_id: UUID, field: str, sealed: bytes) -> bytes | None:
        """As the Protocol says."""
        part = sealing.key_part(sealed)
        try:
            key = self._cache[user_id, part]
        except KeyError:
            key = self._key(user_id, part)
        if key is None:
            return None
        if (bound := key.bound.get(field)) is None:
            bound = key.bound[field] = sealing.bound_to(user_id, field)
        return sealing.unseal_with(key.cipher, bound, field, sealed)

    def mac(self, user_id: UUID, key_id: UUID, data: bytes) -> bytes:
        """As the Protocol says."""
        return sealing.mac(self._living(user_id, key_id.bytes).key, key_id=key_id, clear=data)

    def mac_matches(self, user_id: UUID, mac: bytes, data: bytes) -> bool:
        """As the Protocol says."""
        key_id = sealing.key_id_of_mac(mac)
        key = self._key(user_id, key_id.bytes)
        return key is not None and hmac.compare_digest(sealing.mac(key.key, key_id=key_id, clear=data), mac)

    def _living(self, user_id: UUID, part: bytes) -> _DataKey:
        key = self._key(user_id, part)
        if key is None:
            raise KeyErased(f"data key {UUID(bytes=part)}")
        return key

    def _key(self, user_id: UUID, part: bytes) -> _DataKey | None:
        """The key of whose id these are the bytes, or None where it is erased; raises UnknownKey."""
        try:
            return self._cache[user_id, part]
        except KeyError:
            pass
        key_id = UUID(bytes=part)
        for caught_up in (False, True):
            if caught_up and not self.wait_until_current(_CATCH_UP_SECONDS):
                break
            with self._lock:  # against a marker that comes between the look and the note
                if (known := self._view.key(user_id, key_id)) is not None:
                    return self._remember(user_id, key_id, known)
        raise UnknownKey(f"data key {key_id}")

    def _remember(self, user_id: UUID, key_id: UUID, known: KnownKey) -> _DataKey | None:
        key = None
        if known.wrapped is not None:
            master = self._masters.get(known.master_key_id or "")
            if master is None:
                # Not broken, not gone: MASTER_KEY lacks an entry, and an operator can bring it back.
                raise UnknownKey(f"data key {key_id} is wrapped by master key {known.master_key_id}")
            key = _DataKey(sealing.unwrap(master, known.wrapped, user_id=user_id, key_id=key_id))
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        self._cache[user_id, key_id.bytes] = key
        return key

    def _smallest(self, user_id: UUID) -> UUID | None:
        with self._lock:
            living = self._view.living(user_id)
            if not living:
                return None
            self._chosen[user_id] = living[0]
        return living[0]

    def _settle(self, user_id: UUID, done: asyncio.Task[UUID]) -> None:
        self._making.pop(user_id, None)
        if not done.cancelled():
            done.exception()  # seen, in case everybody who asked has gone

    async def _found_or_made(self, user_id: UUID) -> UUID:
        if (key_id := await asyncio.to_thread(self._smallest, user_id)) is not None:
            return key_id
        # What another process has made just now is not to be made twice, where it can be helped.
        await asyncio.to_thread(self.wait_until_current, _LOOK_AGAIN_SECONDS)
        return await asyncio.to_thread(self._smallest, user_id) or await self._made(user_id)

    async def _made(self, user_id: UUID) -> UUID:
        if self._log is None:
            raise LogUnavailable("this program makes no keys")
        key_id, key = uuid4(), sealing.new_data_key()
        event = SubjectKey(
            event_id=new_id(),
            occurred_at=self._clock.now(),
            user_id=user_id,
            key_id=key_id,
            master_key_id=self._master.key_id,
            wrapped=sealing.wrap(self._master, key, user_id=user_id, key_id=key_id),
        )
        await self._log.append(event, Metadata(correlation_id=new_id(), source=self._source))
        self._metrics.made.of().inc()
        # It will come back by the topic; until then it is known from here.
        await asyncio.to_thread(self._view.learn, [event], {})
        return key_id

    def _forget_cached(self, events: list[SubjectKey]) -> None:
        with self._lock:
            for event in events:
                self._cache.pop((event.user_id, event.key_id.bytes), None)
                self._chosen.pop(event.user_id, None)

    def _repeat_markers(self) -> None:
        """At the topic's end: compaction would keep a key that stands behind its marker."""
        if self._log is None:
            return
        for user_id, key_id in self._view.behind_markers():
            event = SubjectKey(
                event_id=new_id(), occurred_at=self._clock.now(), user_id=user_id, key_id=key_id, erased=True
            )
            try:
                self._log.append_sync(event, Metadata(correlation_id=new_id(), source=self._source))
            except AppendFailed as error:
                log.warning("an erasure marker could not be said again", error=str(error))
                return
            self._metrics.markers_repeated.of().inc()

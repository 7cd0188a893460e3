"""One erasure on its way: each step does what can be done now, and says what is still waited for.

Nothing is kept between steps that a restart could lose: what was done shows in the log, the read models, the
store and the key topic, and doing it again does no harm. Two rounds without anything left to do are needed,
so that what a door let in while its deny list was young is found too.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID, uuid5

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.clock import Clock, new_id
from adapters.event_log import KafkaEventLog
from adapters.failpoints import Failpoints
from adapters.object_store import ObjectStore
from adapters.settings import KafkaSettings
from adapters.subject_keys import Custody
from ops.erasures import receipt, rows
from ops.erasures.purge_group import done_with
from ops.erasures.rows import Conn, Owned
from ops.subjects.compaction import short_segments, wait_until_gone
from ops.subjects.key_records import Place, key_places
from processors.purge.removal import asset_prefix
from projections.erasures.queries import ErasureRow
from projections.topic import ends
from schemas.codec import Codec
from schemas.envelope import Metadata
from schemas.events import AssetPurged, ErasureCompleted, Event

SOURCE: Final = "/ops/erasures"
Waiting = Literal["assets", "read models", "purge worker", "objects", "compaction", "second round"]

_ROUNDS: Final = 2
_CATCH_UP_SECONDS: Final = 10.0
# Where nothing came of a purge that was said: its dead letter is not waited for.
_SAY_AGAIN_SECONDS: Final = 60.0
_COMPACTION_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What an erasure is done with; `connect` gives a connection in autocommit mode."""

    kafka: KafkaSettings
    codec: Codec
    log: KafkaEventLog
    custody: Custody
    store: ObjectStore
    connect: Callable[[], AbstractContextManager[Conn]]
    signing_key: Ed25519PrivateKey
    clock: Clock
    failpoints: Failpoints


class Erasing:
    """One erasure; `step` is to be called again and again, until it returns None."""

    def __init__(self, erasure: ErasureRow, tools: Tools) -> None:
        self._erasure = erasure
        self._tools = tools
        self._rounds = 0
        self._said: dict[UUID, float] = {}
        self._begin_round()

    def _begin_round(self) -> None:
        """Forgets what was seen so far: all of it is to be looked at once more."""
        self._goals: Mapping[str, Mapping[int, int]] | None = None
        self._clean: set[UUID] = set()
        self._places: list[Place] | None = None

    async def step(self) -> Waiting | None:
        """Does what can be done; returns what is waited for, None once ErasureCompleted is acknowledged.

        Raises what the log, Postgres, the store and the brokers raise: call it again later.
        """
        await asyncio.to_thread(self._erase_keys)
        self._tools.failpoints.hit("erasure.after_keys")
        if (waiting := await asyncio.to_thread(self._purge)) is not None:
            return waiting
        if left := await self._objects():
            await asyncio.to_thread(self._say_purged, left)
            return "objects"
        self._tools.failpoints.hit("erasure.after_objects")
        await asyncio.to_thread(self._forget_soft_state)
        if not await asyncio.to_thread(self._compacted):
            return "compaction"
        log.info("erasure_round", erasure_id=str(self._erasure.erasure_id), round=self._rounds + 1)
        self._tools.failpoints.hit("erasure.after_compaction")
        self._rounds += 1
        self._begin_round()
        if self._rounds < _ROUNDS:
            return "second round"
        await asyncio.to_thread(self._complete)
        return None

    def _erase_keys(self) -> None:
        self._tools.custody.wait_until_current(_CATCH_UP_SECONDS)
        for user_id in self._erasure.users:
            marked = self._tools.custody.erase(user_id)
            if marked:
                log.info("data_keys_erased", erasure_id=str(self._erasure.erasure_id), count=len(marked))
                self._rounds = 0
                self._begin_round()

    def _purge(self) -> Waiting | None:
        """Purges what is not purged yet; None once all of it is, and the purge workers are through."""
        kafka, owners = self._tools.kafka, self._erasure.users
        if self._goals is None:
            topics = (kafka.topics.identity, kafka.topics.assets)
            self._goals = {topic: ends(kafka, topic) for topic in topics}
        with self._tools.connect() as conn:
            caught_up = all(rows.reached(conn, topic, goal) for topic, goal in self._goals.items())
            unpurged = [asset for asset in rows.assets(conn, owners) if not asset.purged]
            purge_ends = rows.purge_ends(conn, owners)
        if unpurged:
            self._say_purged(unpurged)
            self._rounds = 0
            self._begin_round()
            return "assets"
        if not caught_up:
            return "read models"
        return None if done_with(kafka, purge_ends) else "purge worker"

    def _say_purged(self, assets: Sequence[Owned]) -> None:
        """Appends the purges; the same again where nothing came of one for a minute."""
        now = time.monotonic()
        due = {one.asset_id: one for one in assets if now >= self._said.get(one.asset_id, now)}
        with self._tools.connect() as conn:
            incoming = rows.incoming_keys(conn, list(due))
        for asset_id, asset in due.items():
            self._append(
                AssetPurged(
                    event_id=uuid5(self._erasure.erasure_id, f"purged/{asset_id}"),
                    occurred_at=self._tools.clock.now(),
                    asset_id=asset_id,
                    owner_id=asset.owner_id,
                    actor_id=self._erasure.user_id,
                    code="erased",
                    incoming_key=incoming.get(asset_id),
                )
            )
            self._said[asset_id] = now + _SAY_AGAIN_SECONDS
            self._tools.failpoints.hit("erasure.after_purge")

    async def _objects(self) -> list[Owned]:
        """The assets of which the store still holds something; those found clean are not asked for again."""
        with self._tools.connect() as conn:
            every = rows.assets(conn, self._erasure.users)
            unseen = [asset for asset in every if asset.asset_id not in self._clean]
            incoming = rows.incoming_keys(conn, [asset.asset_id for asset in unseen])
        for asset in unseen:
            if not await self._stands(asset.asset_id, incoming.get(asset.asset_id)):
                self._clean.add(asset.asset_id)
        return [asset for asset in unseen if asset.asset_id not in self._clean]

    async def _stands(self, asset_id: UUID, incoming: str | None) -> bool:
        store = self._tools.store
        if incoming is not None and await store.head(incoming) is not None:
            return True
        async for _ in store.list(asset_prefix(asset_id)):
            return True
        return False

    def _forget_soft_state(self) -> None:
        with self._tools.connect() as conn:
            rows.soft_state(conn, self._erasure.users, forget=True)

    def _compacted(self) -> bool:
        """Whether no record of the person's keys is delivered any more; makes compaction happen meanwhile."""
        kafka = self._tools.kafka
        if self._places is None:
            found = key_places(kafka, self._tools.codec, self._erasure.users)
            self._places = [place for of_user in found.values() for place in of_user]
        if self._places:
            with short_segments(kafka):
                self._places = wait_until_gone(
                    kafka, self._tools.log, self._places, source=SOURCE, seconds=_COMPACTION_SECONDS
                )
        return not self._places

    def _complete(self) -> None:
        erasure, now = self._erasure, self._tools.clock.now()
        with self._tools.connect() as conn:
            assets = len(rows.assets(conn, erasure.users))
        said = receipt.Statement(
            erasure_id=erasure.erasure_id,
            user_id=erasure.user_id,
            requested_at=erasure.requested_at,
            completed_at=now,
            keys=sum(len(self._tools.custody.all_of(user_id)) for user_id in erasure.users),
            assets=assets,
        )
        self._append(
            ErasureCompleted(
                event_id=uuid5(erasure.erasure_id, "completed"),
                occurred_at=now,
                account_key=erasure.account_key,
                user_id=erasure.user_id,
                actor_id=erasure.user_id,
                erasure_id=erasure.erasure_id,
                receipt=receipt.sign(self._tools.signing_key, said),
            )
        )

    def _append(self, event: Event) -> None:
        erasure_id = self._erasure.erasure_id
        metadata = Metadata(correlation_id=new_id(), causation_id=erasure_id, source=SOURCE)
        self._tools.log.append_sync(event, metadata)

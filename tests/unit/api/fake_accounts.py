"""The identity read models in memory: folds the identity log of an in-memory log as the projector does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from adapters.event_log import InMemoryEventLog
from adapters.sealing import open_text
from adapters.subject_keys import InMemorySubjectKeys
from api.credentials.key_uses import KeyUse
from projections.account_activity.projection import NOBODY, _facts
from projections.account_activity.queries import AccountActivityRow, Revocation
from projections.accounts.queries import AccountRow
from projections.api_keys.queries import ApiKeyRow
from projections.erasures.queries import ErasureRow
from projections.sessions.queries import SessionRow, Standing
from schemas.account import AccountState, Life, fold
from schemas.account_state import ApiKeyState, SessionState
from schemas.envelope import RawRecord, read_headers
from schemas.events import IdentityEvent


@dataclass
class FakeAccounts:
    """Follows the log at each question, unless `following` is taken away: that is a projector that lags.

    `down` plays a database that is away; `projects` is what is heard of a projector.
    """

    log: InMemoryEventLog
    keys: InMemorySubjectKeys
    following: bool = True
    projects: bool = True
    down: bool = False
    states: dict[str, AccountState] = field(default_factory=dict)
    feed: list[AccountActivityRow] = field(default_factory=list)
    next_offsets: dict[int, int] = field(default_factory=dict)
    read: int = 0
    uses: dict[UUID, datetime] = field(default_factory=dict)

    def catch_up(self) -> None:
        for record in self.log.records[self.read :]:
            if record.topic == self.log.topics.identity:
                self._apply(record)
        self.read = len(self.log.records)

    def _apply(self, record: RawRecord) -> None:
        event = self.log.codec.decode(record.value)
        assert isinstance(event, IdentityEvent)
        folded = fold(self.states.get(event.account_key), event)
        if folded.state is not None:
            self.states[event.account_key] = folded.state
        self.next_offsets[record.partition] = record.offset + 1
        self.feed.append(_activity(record, event, folded.state, folded.accepted))

    def _ask(self) -> None:
        if self.down:
            raise psycopg.OperationalError("the database is away")
        if self.following:
            self.catch_up()

    def _lives(self) -> list[tuple[str, Life]]:
        self._ask()
        return [(key, state.life) for key, state in self.states.items() if state.life is not None]

    def _account(self, account_key: str, life: Life) -> AccountRow:
        user_id = life.user_id
        sealed, hashed = life.sealed_address, life.sealed_password_hash
        return AccountRow(
            account_key=account_key,
            user_id=user_id,
            role=life.role,
            version=life.version,
            address=open_text(self.keys, user_id=user_id, field="sealed_address", sealed=sealed),
            password_hash=open_text(self.keys, user_id=user_id, field="sealed_password_hash", sealed=hashed),
            data_key_id=life.data_key_id,
            registered_at=life.registered_at,
        )

    async def by_key(self, account_key: str) -> AccountRow | None:
        return next((self._account(key, life) for key, life in self._lives() if key == account_key), None)

    async def by_user(self, user_id: UUID) -> AccountRow | None:
        return next(
            (self._account(key, life) for key, life in self._lives() if life.user_id == user_id), None
        )

    async def page(self, *, limit: int, before: tuple[datetime, UUID] | None) -> list[AccountRow]:
        rows = sorted(
            (self._account(key, life) for key, life in self._lives()),
            key=lambda row: (row.registered_at, row.user_id),
            reverse=True,
        )
        return [row for row in rows if before is None or (row.registered_at, row.user_id) < before][:limit]

    async def standing(self, *, session_id: UUID, user_id: UUID) -> Standing:
        life = next((life for _, life in self._lives() if life.user_id == user_id), None)
        session = life.session(session_id) if life is not None else None
        return Standing(
            session=_session(user_id, session) if session is not None else None,
            role=life.role if life is not None else None,
            version=life.version if life is not None else None,
            erased=any(one.user_id == user_id for state in self.states.values() for one in state.erased),
        )

    async def live_sessions(self, user_id: UUID, now: datetime, limit: int) -> list[SessionRow]:
        found = [
            _session(user_id, session)
            for _, life in self._lives()
            if life.user_id == user_id
            for session in life.sessions
            if session.revoked_at is None and session.expires_at > now
        ]
        return sorted(found, key=lambda row: (row.started_at, row.session_id), reverse=True)[:limit]

    def _keys(self) -> list[ApiKeyRow]:
        return [self._key(key, life, held) for key, life in self._lives() for held in life.api_keys]

    def _key(self, account_key: str, life: Life, held: ApiKeyState) -> ApiKeyRow:
        return ApiKeyRow(
            key_id=held.key_id,
            user_id=life.user_id,
            account_key=account_key,
            prefix=held.prefix,
            hash=held.hash,
            scopes=held.scopes,
            name=open_text(self.keys, user_id=life.user_id, field="sealed_name", sealed=held.sealed_name),
            issued_at=held.issued_at,
            expires_at=held.expires_at,
            revoked_at=held.revoked_at,
            role=life.role,
        )

    async def keys_by_prefix(self, prefix: str) -> list[ApiKeyRow]:
        return [row for row in self._keys() if row.prefix == prefix]

    async def key_of(self, *, user_id: UUID, key_id: UUID) -> ApiKeyRow | None:
        mine = [row for row in self._keys() if row.user_id == user_id]
        return next((row for row in mine if row.key_id == key_id), None)

    async def keys_of(self, user_id: UUID, limit: int) -> list[ApiKeyRow]:
        mine = [row for row in self._keys() if row.user_id == user_id and row.revoked_at is None]
        return sorted(mine, key=lambda row: (row.issued_at, row.key_id), reverse=True)[:limit]

    async def erasure(self, erasure_id: UUID) -> ErasureRow | None:
        self._ask()
        for key, state in self.states.items():
            for one in state.erased:
                if one.erasure_id == erasure_id:
                    return ErasureRow(
                        account_key=key,
                        erasure_id=erasure_id,
                        user_id=one.user_id,
                        lost=one.lost,
                        requested_at=one.requested_at,
                        completed_at=one.completed_at,
                        receipt=one.receipt,
                    )
        return None

    async def by_event_id(self, event_id: UUID) -> AccountActivityRow | None:
        self._ask()
        found = [row for row in self.feed if row.event_id == event_id]
        return max(found, key=lambda row: row.accepted, default=None)

    async def activity(self) -> list[AccountActivityRow]:
        self._ask()
        return self.feed

    async def revocations(
        self, after: Mapping[int, int], since: datetime | None, limit: int
    ) -> list[Revocation]:
        self._ask()
        found = [
            row
            for row in self.feed
            if row.revokes
            and row.offset > after.get(row.partition, -1)
            and (since is None or row.log_time >= since)
        ]
        return [
            Revocation(
                partition=row.partition,
                offset=row.offset,
                event_type=row.event_type,
                user_id=row.user_id,
                session_id=row.session_id,
                key_id=row.key_id,
                version=row.version,
                log_time=row.log_time,
            )
            for row in sorted(found, key=lambda row: (row.partition, row.offset))[:limit]
        ]

    def applied(self, partition: int) -> int:
        if self.following:
            self.catch_up()
        return self.next_offsets.get(partition, 0)

    def projecting(self, partition: int) -> bool:
        del partition
        return self.projects

    def caught_up(self) -> bool:
        return self.projects

    async def note_key_uses(self, uses: Sequence[KeyUse]) -> None:
        self._ask()
        for use in uses:
            self.uses[use.key_id] = max(use.at, self.uses.get(use.key_id, use.at))

    async def key_uses(self, key_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        self._ask()
        return {key_id: self.uses[key_id] for key_id in key_ids if key_id in self.uses}


def _session(user_id: UUID, held: SessionState) -> SessionRow:
    return SessionRow(
        session_id=held.session_id,
        user_id=user_id,
        kind=held.kind,
        started_at=held.started_at,
        expires_at=held.expires_at,
        presented=held.presented,
        refreshed_at=held.refreshed_at,
        revoked_code=held.revoked_code,
        revoked_at=held.revoked_at,
    )


def _activity(
    record: RawRecord, event: IdentityEvent, state: AccountState | None, accepted: bool
) -> AccountActivityRow:
    facts, life = _facts(event, state), state.life if state is not None else None
    told: dict[str, Any] = facts._asdict()
    revokes = told.pop("revokes") and accepted
    return AccountActivityRow(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        event_id=event.event_id,
        event_type=type(event).__name__,
        account_key=event.account_key,
        user_id=event.user_id or NOBODY,
        actor_id=event.actor_id,
        accepted=accepted,
        occurred_at=event.occurred_at,
        log_time=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
        version=life.version if life is not None and life.user_id == event.user_id else None,
        revokes=revokes,
        request_hash=getattr(event, "request_hash", None),
        correlation_id=UUID(read_headers(record.headers)["correlationid"]),
        causation_id=None,
        trace_id=None,
        **told,
    )

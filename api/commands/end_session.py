"""EndSession: a session ends before its time, by its person, by theft that was noticed, or to make room."""

from typing import Final
from uuid import UUID

from adapters.clock import new_id
from adapters.owners import deterministic_id
from api.origin import metadata
from api.parts import Parts
from api.security_events import say
from projections.accounts.queries import AccountRow
from schemas.events import SessionRevoked
from schemas.identity import RevocationCode
from schemas.positions import Position

# A person with more devices than these has a program that logs in each time it runs.
MOST_SESSIONS: Final = 100


async def end_session(
    parts: Parts, *, account_key: str, user_id: UUID, session_id: UUID, code: RevocationCode, actor_id: UUID
) -> Position:
    """Says that the session has ended; this process denies it from now on, all others within a second.

    Said again it is the same event, but for reuse, which is told each time.
    """
    secret = parts.settings.secrets.id_key
    repeated = deterministic_id(secret, "session-revoked", session_id.bytes, code)
    now = parts.clock.now()
    event = SessionRevoked(
        event_id=new_id() if code == "reuse" else repeated,
        occurred_at=now,
        account_key=account_key,
        user_id=user_id,
        actor_id=actor_id,
        session_id=session_id,
        code=code,
    )
    position = await parts.log.append(event, metadata())
    parts.identity.denials.session_ended(session_id)
    say(parts, "session_revoked", code=code, session_id=str(session_id))
    return position


async def end_oldest(parts: Parts, account: AccountRow) -> None:
    """Ends what a person has beyond MOST_SESSIONS, the oldest first; one at a time is enough."""
    # One more is on its way.
    live = await parts.identity.accounts.live_sessions(account.user_id, parts.clock.now(), MOST_SESSIONS + 1)
    for session in live[MOST_SESSIONS - 1 :]:
        await end_session(
            parts,
            account_key=account.account_key,
            user_id=account.user_id,
            session_id=session.session_id,
            code="logout",
            actor_id=account.user_id,
        )

"""Folds each session that a batch changed into its one row."""

from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from projections.forms import SESSIONS
from projections.lives import changed_parts, write_parts
from projections.of_identity import Folded
from projections.tables import Table
from schemas.account_state import SessionState

TABLE: Final = Table(
    model=SESSIONS,
    name="sessions",
    key="account_key",
    columns={
        "account_key": "text",
        "session_id": "uuid",
        "user_id": "uuid",
        "kind": "text",
        "started_at": "timestamptz",
        "expires_at": "timestamptz",
        "presented": "int8",
        "refreshed_at": "timestamptz",
        "revoked_code": "text",
        "revoked_at": "timestamptz",
    },
)


def write(conn: Connection[Any], folded: Folded) -> None:
    """Replaces the rows of the sessions that the batch changed; those of a life that ended go."""
    parts = changed_parts(folded, attrgetter("sessions"), attrgetter("session_id"))
    write_parts(conn, TABLE, "session_id", parts, _row)


def _row(account_key: str, user_id: UUID, session: SessionState) -> tuple[Any, ...]:
    return (
        account_key,
        session.session_id,
        user_id,
        session.kind,
        session.started_at,
        session.expires_at,
        session.presented,
        session.refreshed_at,
        session.revoked_code,
        session.revoked_at,
    )

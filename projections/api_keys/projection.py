"""Folds each API key that a batch changed into its one row."""

from functools import partial
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from projections.accounts.clear import ClearAccounts
from projections.forms import API_KEYS
from projections.lives import changed_parts, write_parts
from projections.of_identity import Folded
from projections.tables import Table
from schemas.account_state import ApiKeyState

TABLE: Final = Table(
    model=API_KEYS,
    name="api_keys",
    key="account_key",
    columns={
        "account_key": "text",
        "key_id": "uuid",
        "user_id": "uuid",
        "prefix": "text",
        "hash": "bytea",
        "scopes": "text[]",
        "name": "text",
        "issued_at": "timestamptz",
        "expires_at": "timestamptz",
        "revoked_at": "timestamptz",
    },
)


def write(conn: Connection[Any], folded: Folded, clear: ClearAccounts) -> None:
    """Replaces the rows of the keys that the batch changed; raises what `clear` raises."""
    parts = changed_parts(folded, attrgetter("api_keys"), attrgetter("key_id"))
    write_parts(conn, TABLE, "key_id", parts, partial(_row, clear))


def _row(clear: ClearAccounts, account_key: str, user_id: UUID, key: ApiKeyState) -> tuple[Any, ...]:
    return (
        account_key,
        key.key_id,
        user_id,
        key.prefix,
        key.hash,
        list(key.scopes),
        clear.text(user_id, "sealed_name", key.sealed_name),
        key.issued_at,
        key.expires_at,
        key.revoked_at,
    )

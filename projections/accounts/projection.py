"""Folds each account that a batch changed into its one row, while somebody has it."""

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection

from projections.accounts.clear import ClearAccounts
from projections.forms import ACCOUNTS
from projections.of_identity import Changed, Folded
from projections.tables import Table
from schemas.account_state import Life

TABLE: Final = Table(
    model=ACCOUNTS,
    name="accounts",
    key="account_key",
    columns={
        "account_key": "text",
        "user_id": "uuid",
        "role": "text",
        "version": "int8",
        "address": "text",
        "password_hash": "text",
        "data_key_id": "uuid",
        "registered_at": "timestamptz",
    },
)

Row = tuple[Any, ...]


def write(conn: Connection[Any], folded: Folded, clear: ClearAccounts) -> None:
    """Replaces the rows that the batch made others; raises what `clear` raises."""
    changed = {key: one for key, one in folded.changed.items() if _sealed_row(_before(one)) != _now(one)}
    gone = [key for key, one in changed.items() if _before(one) is not None]
    TABLE.replace(conn, gone, _rows(changed, clear))


def _rows(changed: dict[str, Changed], clear: ClearAccounts) -> Iterator[Row]:
    for account_key, one in changed.items():
        if (life := one.state.life) is not None:
            yield (
                account_key,
                life.user_id,
                life.role,
                life.version,
                clear.text(life.user_id, "sealed_address", life.sealed_address),
                clear.text(life.user_id, "sealed_password_hash", life.sealed_password_hash),
                life.data_key_id,
                life.registered_at,
            )


def _before(changed: Changed) -> Life | None:
    return None if changed.before is None else changed.before.life


def _now(changed: Changed) -> Row | None:
    return _sealed_row(changed.state.life)


def _sealed_row(life: Life | None) -> Row | None:
    """All that a row is made of, nothing opened: a session's coming and going leaves the row as it is."""
    if life is None:
        return None
    return (life.user_id, life.role, life.version, life.sealed_address, life.sealed_password_hash)

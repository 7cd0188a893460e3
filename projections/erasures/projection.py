"""Folds each erasure that a batch changed into its one row."""

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection

from projections.forms import ERASURES
from projections.of_identity import Folded
from projections.tables import Table

TABLE: Final = Table(
    model=ERASURES,
    name="erasures",
    key="account_key",
    columns={
        "account_key": "text",
        "erasure_id": "uuid",
        "user_id": "uuid",
        "lost": "uuid[]",
        "requested_at": "timestamptz",
        "completed_at": "timestamptz",
        "receipt": "bytea",
    },
)

Row = tuple[Any, ...]


def write(conn: Connection[Any], folded: Folded) -> None:
    """Replaces all rows of the accounts in which an erasure was asked for or done."""
    changed = [
        key
        for key, one in folded.changed.items()
        if one.state.erased != (one.before.erased if one.before else ())
    ]
    if changed:
        TABLE.replace(conn, changed, rows(folded, changed))


def rows(folded: Folded, account_keys: list[str]) -> Iterator[Row]:
    """The rows of these accounts, values in the order of TABLE's columns."""
    for account_key in account_keys:
        for erased in folded.changed[account_key].state.erased:
            yield (
                account_key,
                erased.erasure_id,
                erased.user_id,
                list(erased.lost),
                erased.requested_at,
                erased.completed_at,
                erased.receipt,
            )

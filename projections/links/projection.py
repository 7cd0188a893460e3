"""Folds the links of each asset that a batch changed into their rows."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from projections.forms import LINKS
from projections.of_assets import Change, Folded
from projections.tables import Table

TABLE: Final = Table(
    model=LINKS,
    name="links",
    key="asset_id",
    columns={
        "link_id": "uuid",
        "asset_id": "uuid",
        "owner_id": "uuid",
        "variant": "text",
        "issued_at": "timestamptz",
        "expires_at": "timestamptz",
        "revoked_at": "timestamptz",
    },
)

Row = tuple[Any, ...]


def write(conn: Connection[Any], folded: Folded) -> None:
    """Replaces the links of the assets whose links the batch changed; those of a purged asset go."""
    changed = [asset_id for asset_id, one in folded.changed.items() if _changed(one)]
    if changed:
        TABLE.replace(conn, changed, rows(folded, changed))


def rows(folded: Folded, asset_ids: Sequence[UUID]) -> Iterator[Row]:
    """The rows of these assets, values in the order of TABLE's columns."""
    for asset_id in asset_ids:
        state = folded.changed[asset_id].state
        for link in state.links:
            yield (
                link.link_id,
                asset_id,
                state.owner_id,
                link.variant,
                link.issued_at,
                link.expires_at,
                link.revoked_at,
            )


def _changed(one: Change) -> bool:
    return one.state.links != (() if one.before is None else one.before.links)

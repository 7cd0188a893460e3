"""What the asset log tells of: assets, one stream each, folded by their lifecycle."""

from operator import attrgetter
from typing import Final, TypeAlias, get_args
from uuid import UUID

from projections import folding
from projections.notices import Changes
from projections.shortcuts import Shortcut
from schemas.asset_state import AssetState
from schemas.events import AssetEvent
from schemas.lifecycle import fold
from schemas.scalars import uuid_from_bytes, uuid_text
from schemas.whole_life import LENGTH, state_of, whole_life

Applied: TypeAlias = folding.Applied[AssetState, AssetEvent]
Change: TypeAlias = folding.Change[AssetState]
Changed: TypeAlias = folding.Changed[AssetState]
Folded: TypeAlias = folding.Folded[UUID, AssetState, AssetEvent]


def asset_of(key: bytes | None) -> UUID | None:
    """The asset whose records have this key; None where it is no asset's."""
    try:
        asset_id = uuid_from_bytes(key or b"")
    except ValueError:
        return None
    return asset_id if uuid_text(asset_id).encode() == key else None


def changes_in(folded: Folded) -> Changes:
    """The assets whose rows a batch changes, and their owners."""
    owners = (change.state.owner_id for change in folded.changed.values())
    return Changes(assets=frozenset(folded.changed), owners=frozenset(owners))


STREAMS: Final[folding.Streams[UUID, AssetState, AssetEvent]] = folding.Streams(
    events=get_args(AssetEvent), id_of_key=asset_of, id_of=attrgetter("asset_id"), fold=fold
)

WHOLE_LIVES: Final[Shortcut[AssetState, AssetEvent]] = Shortcut(
    events=LENGTH, life=whole_life, state_of=state_of
)

"""Cursors of the gallery: where a page ended, sealed, since titles and the camera's times are personal."""

from datetime import datetime
from typing import Final
from uuid import UUID

from adapters.sealing import SealBroken, open_json, seal_json
from adapters.subject_keys.protocol import UnknownKey
from api.intent import data_key_of
from api.parts import Parts
from api.problems import Invalid, invalid
from api.tokens import InvalidToken
from projections.assets.pages import AssetFilter, AssetMark

_PURPOSE: Final = "gallery-cursor"
_FIELD: Final = "cursor"


async def cursor_for(parts: Parts, mark: AssetMark, wanted: AssetFilter) -> str:
    """The cursor that goes on after this row; nobody reads out of it, and no other list takes it."""
    value = mark.value.isoformat() if isinstance(mark.value, datetime) else mark.value
    sealed = seal_json(
        parts.keys,
        user_id=wanted.owner_id,
        key_id=await data_key_of(parts, wanted.owner_id),
        field=_FIELD,
        value={"value": value, "id": str(mark.asset_id)},
    )
    return parts.signer.sign(_PURPOSE, sealed, bound_to=repr(wanted))


def mark_from(parts: Parts, cursor: str, wanted: AssetFilter) -> AssetMark:
    """Where a cursor goes on; raises Invalid for one that is not ours, another's, or of another list."""
    try:
        sealed = parts.signer.open(_PURPOSE, cursor, bound_to=repr(wanted))
        said = open_json(parts.keys, user_id=wanted.owner_id, field=_FIELD, sealed=sealed)
    except (InvalidToken, SealBroken, UnknownKey) as error:
        raise _refused() from error
    if said is None:  # its owner was erased
        raise _refused()
    value = said["value"]
    if wanted.sort == "uploaded":
        value = datetime.fromisoformat(str(value))
    if not isinstance(value, datetime | str | int):
        raise _refused()
    return AssetMark(value, UUID(str(said["id"])))


def _refused() -> Invalid:
    return invalid("query.cursor", "is no cursor of this list")

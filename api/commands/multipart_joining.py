"""Makes one object of the parts of an upload: what is in the store decides, never what a client says."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from adapters.object_store import ObjectMissing, Part
from api.commands.grant import Grant, InParts
from api.parts import Parts
from api.upload_problems import PartsMissing

_NAMED_AT_MOST: Final = 100


class PartSent(BaseModel):
    """A part as its sender knows it, to be compared with what arrived."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[int, Field(strict=True, ge=1, examples=[1])]
    etag: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="As the store answered it.",
            examples=["79b281060d337b9b2b84ccf390adcf74"],
        ),
    ]


async def join(parts: Parts, grant: Grant, in_parts: InParts, sent: Sequence[PartSent] | None) -> None:
    """Joins the parts, unless somebody did; raises PartsMissing where one is not as it should be."""
    arrived = await parts.store.parts(grant.object_key, in_parts.store_upload)
    if not arrived:
        return  # joined before, dropped, or never begun: the object tells
    missing = _missing(arrived, grant, in_parts, sent)
    if missing:
        raise PartsMissing(missing=missing[:_NAMED_AT_MOST])
    wanted = set(in_parts.numbers(grant.size))
    try:
        await parts.store.join_parts(
            grant.object_key, in_parts.store_upload, [part for part in arrived if part.number in wanted]
        )
    except ObjectMissing:
        return  # somebody else did, this very moment


def _missing(
    arrived: Sequence[Part], grant: Grant, in_parts: InParts, sent: Sequence[PartSent] | None
) -> list[int]:
    there = {part.number: part for part in arrived}
    meant = {part.number: part.etag.strip('"') for part in sent or ()}
    return [
        number
        for number in in_parts.numbers(grant.size)
        if (part := there.get(number)) is None
        or part.size != in_parts.size_of(number, grant.size)
        or meant.get(number, part.etag) != part.etag
    ]

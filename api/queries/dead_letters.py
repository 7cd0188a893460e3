"""Reads the dead letters: records that no one could work on, and what hangs on them."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from adapters.dead_letters import Letter, LetterPage, LettersUnreadable
from api.access import entered, entering
from api.job_problems import LettersAway
from api.letter_filter import LetterFilter, sifting
from api.letter_shapes import DeadLetter, DeadLetterPage, letter_shape
from api.letters import Standing, standings
from api.moments import Moment
from api.openapi import problems
from api.parts import Parts
from api.problems import NotFound, invalid
from api.queries.listing import Limit, listed
from api.tokens import InvalidToken
from schemas.positions import InvalidPosition, vector_from_token, vector_token

LETTERS: Final = "/v1/dead-letters"
_PURPOSE: Final = "dead-letter-cursor"
Word = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]+$")]

router = APIRouter(tags=["jobs"])


@router.get(
    LETTERS,
    response_model=DeadLetterPage,
    summary="List dead letters",
    responses=problems(401, 403, 422, 503),
    openapi_extra=entering("admin"),
)
async def list_letters(
    request: Request,
    component: Word = None,
    code: Word = None,
    event_type: Word = None,
    asset: UUID | None = None,
    format: Annotated[Word, Query(description="The content type of the asset.")] = None,  # noqa: A002
    encoder: Word = None,
    owner: UUID | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """For administrators: what was given up in the last 90 days, newest first."""
    parts, caller = await entered(request, "admin")
    wanted = LetterFilter(
        component=component,
        code=code,
        event_type=event_type,
        asset_id=asset,
        content_type=format,
        encoder=encoder,
        owner_id=owner,
        since=since,
        until=until,
    )
    bound_to = f"{LETTERS} {caller.user_id} {wanted}"
    before = _before(parts, cursor, bound_to) if cursor is not None else None
    page = await read_page(parts, wanted, limit=limit, before=before)
    items = await standings(parts.work, page.letters, parts.settings.secrets.id_key)
    following = None
    if page.rest:
        mark = vector_token(page.rest).encode()
        following = parts.signer.sign(_PURPOSE, mark, bound_to=bound_to)
    body = DeadLetterPage(items=tuple(letter_shape(item) for item in items), next_cursor=following)
    return listed(body, LETTERS, request.query_params, following)


@router.get(
    LETTERS + "/{letter_id}",
    summary="Read a dead letter",
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=entering("admin"),
)
async def read_letter(
    request: Request, letter_id: Annotated[str, Path(max_length=40, description="As a list gives it.")]
) -> DeadLetter:
    """For administrators. Of the record's value only its length is told."""
    parts, _ = await entered(request, "admin")
    return letter_shape(await one_letter(parts, letter_id))


async def one_letter(parts: Parts, letter_id: str) -> Standing:
    """The letter, its value with it, and what hangs on it; raises NotFound, LettersAway."""
    try:
        letter: Letter | None = await asyncio.to_thread(parts.letters.letter, letter_id)
    except LettersUnreadable as error:
        raise LettersAway from error
    if letter is None:
        raise NotFound
    (standing,) = await standings(parts.work, [letter], parts.settings.secrets.id_key)
    return standing


async def read_page(
    parts: Parts, wanted: LetterFilter, *, limit: int, before: Mapping[int, int] | None
) -> LetterPage:
    """Letters that the filter wants; raises LettersAway."""
    sifted = sifting(wanted, parts.codec.decode, parts.work.told)
    try:
        return await asyncio.to_thread(parts.letters.page, sifted, limit=limit, before=before)
    except LettersUnreadable as error:
        raise LettersAway from error


def _before(parts: Parts, cursor: str, bound_to: str) -> dict[int, int]:
    try:
        return vector_from_token(parts.signer.open(_PURPOSE, cursor, bound_to=bound_to).decode())
    except (InvalidToken, InvalidPosition, ValueError) as error:
        raise invalid("query.cursor", "is no cursor of this list") from error

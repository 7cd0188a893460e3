"""Lists page by page: what they are asked with, where a page ends, and the way to the next."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Response
from pydantic import BaseModel

from api.representations import private_json

LARGEST_PAGE: Final = 200
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")]

RowT = TypeVar("RowT")


def cut(rows: Sequence[RowT], limit: int) -> tuple[Sequence[RowT], RowT | None]:
    """A page out of rows that were read one beyond the limit, and its last row where more follow."""
    return rows[:limit], rows[limit - 1] if len(rows) > limit else None


def listed(body: BaseModel, path: str, asked: Mapping[str, object], following: str | None) -> Response:
    """A page; with `following`, its cursor, a Link to the next asks the same again, but for what is None."""
    response = private_json(body)
    if following is not None:
        query = {name: value for name, value in asked.items() if value is not None} | {"cursor": following}
        response.headers["Link"] = f'<{path}?{urlencode(query)}>; rel="next"'
    return response

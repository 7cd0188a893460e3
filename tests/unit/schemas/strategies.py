"""Any event at all: hypothesis strategies made from the fields of the classes."""

import dataclasses
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from hypothesis import strategies as st

from schemas.catalogue import CATALOGUE

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    UUID: st.uuids(),
    bool: st.booleans(),
    bytes: st.binary(max_size=80),
    datetime: MOMENTS,
    int: st.integers(-(2**63), 2**63 - 1),
    str: TEXTS,
}


def of_class(cls: Any) -> st.SearchStrategy[Any]:
    """Objects of a dataclass with any values that its fields may have."""
    hints = get_type_hints(cls)
    fields = {field.name: _of_type(hints[field.name]) for field in dataclasses.fields(cls)}
    return st.builds(cls, **fields)


def any_event() -> st.SearchStrategy[Any]:
    """Events of every type in the catalogue."""
    return st.one_of([of_class(row.cls) for row in CATALOGUE])


def _of_type(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) in {Union, UnionType}:
        (only,) = (part for part in get_args(hint) if part is not NoneType)
        return st.none() | _of_type(only)
    if get_origin(hint) is tuple:
        return st.lists(_of_type(get_args(hint)[0]), max_size=4).map(tuple)
    return SCALARS[hint] if hint in SCALARS else of_class(hint)

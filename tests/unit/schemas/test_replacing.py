"""A replaced state is what dataclasses would have made of it."""

import dataclasses
from typing import Any

import pytest

from schemas.replacing import replace


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str
    size: int = 3
    parts: tuple[str, ...] = ()


def test_the_same_as_dataclasses_own() -> None:
    old = Thing(name="a", parts=("x",))
    for changes in ({}, {"size": 4}, {"name": "b", "parts": ()}):
        given: dict[str, Any] = changes
        assert replace(old, **given) == dataclasses.replace(old, **given)
    assert old == Thing(name="a", parts=("x",))
    assert replace(old) is not old


def test_a_field_that_is_not_there_is_refused() -> None:
    nonsense: Any = {"colour": "red"}
    with pytest.raises(TypeError, match="no field colour"):
        replace(Thing(name="a"), **nonsense)

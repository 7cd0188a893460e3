"""A replaced state is what dataclasses would have made of it."""

import dataclasses
import pickle
from typing import Any

import pytest

from schemas.replacing import made_fast, replace


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str
    size: int = 3
    parts: tuple[str, ...] = ()


@made_fast
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    name: str
    size: int = 3
    parts: tuple[str, ...] = ()


def test_a_thing_that_is_made_fast_is_as_others_are() -> None:
    for given in ({"name": "a"}, {"name": "b", "size": 4}, {"name": "c", "parts": ("x",), "size": 0}):
        values: dict[str, Any] = given
        made = Quick(**values)
        assert dataclasses.asdict(made) == dataclasses.asdict(Thing(**values))
        assert made == Quick(**values)
        assert dataclasses.replace(made, size=9) == replace(made, size=9)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Quick(name="c").name = "d"  # type: ignore[misc]  # the point


@pytest.mark.parametrize("values", [{}, {"size": 4}, {"name": "a", "colour": "red"}])
def test_what_is_made_fast_refuses_what_others_refuse(values: dict[str, Any]) -> None:
    for cls in (Thing, Quick):
        with pytest.raises(TypeError):
            cls(**values)


def test_only_fields_by_keyword_and_without_made_defaults_are_made_fast() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class ByPlace:
        name: str

    @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
    class Made:
        names: list[str] = dataclasses.field(default_factory=list)

    for cls in (ByPlace, Made):
        with pytest.raises(ValueError, match="another kind"):
            made_fast(cls)


def test_the_same_as_dataclasses_own() -> None:
    old = Thing(name="a", parts=("x",))
    for changes in ({}, {"size": 4}, {"name": "b", "parts": ()}):
        given: dict[str, Any] = changes
        assert replace(old, **given) == dataclasses.replace(old, **given)
    assert old == Thing(name="a", parts=("x",))
    assert replace(old) is not old


def test_what_was_unfrozen_while_it_was_made_is_frozen_again() -> None:
    for made in (Quick(name="a"), replace(Quick(name="a"), size=4), replace(Thing(name="a"), size=4)):
        assert type(made) in {Quick, Thing}
        assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301  # our own
        with pytest.raises(dataclasses.FrozenInstanceError):
            made.name = "b"  # type: ignore[misc]  # the point


def test_a_field_that_is_not_there_is_refused() -> None:
    nonsense: Any = {"colour": "red"}
    with pytest.raises(TypeError, match="no field colour"):
        replace(Thing(name="a"), **nonsense)

"""`replace` as dataclasses has it, several times as fast: a fold makes two new states of each event."""

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["replace"]

_T = TypeVar("_T")

if TYPE_CHECKING:
    from dataclasses import replace  # so that names and types of what is replaced are checked
else:

    def replace(old: _T, /, **changes: object) -> _T:
        """A copy of a frozen, slotted dataclass with some fields changed; no `__post_init__` is called.

        TypeError for a field that it does not have.
        """
        made, setters = _copier(type(old))(old)
        for name, value in changes.items():
            try:
                setters[name](made, value)
            except KeyError:
                raise TypeError(f"{type(old).__qualname__} has no field {name}") from None
        return made


@cache
def _copier(cls: type) -> Callable[[Any], tuple[Any, dict[str, Callable[[Any, Any], None]]]]:
    """A function that copies field by field, and what sets a field of the copy."""
    names = [field.name for field in dataclasses.fields(cls)]
    setters = {name: cls.__dict__[name].__set__ for name in names}
    lines = ["def copied(old):", "    made = new(cls)"]
    lines += [f"    set_{name}(made, old.{name})" for name in names]
    lines += ["    return made, setters"]
    known: dict[str, Any] = {"cls": cls, "new": object.__new__, "setters": setters}
    known |= {f"set_{name}": setter for name, setter in setters.items()}
    exec(compile("\n".join(lines), f"<copied {cls.__qualname__}>", "exec"), known)  # noqa: S102  # our own text
    copied: Callable[[Any], tuple[Any, dict[str, Callable[[Any, Any], None]]]] = known["copied"]
    return copied

"""Makes and copies frozen dataclasses in a third of the time: a fold makes several of each event.

Setting a frozen object's fields takes a call for each, which is most of what making it costs. An object of a
class with the same slots that is not frozen has them set by the interpreter itself. Then it becomes one of
the frozen class, as Python lets objects of the same layout do.
"""

import dataclasses
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["made_fast", "replace", "unfrozen"]

_T = TypeVar("_T")

if TYPE_CHECKING:
    from dataclasses import replace  # so that names and types of what is replaced are checked
else:

    def replace(old: _T, /, **changes: object) -> _T:
        """A copy of a frozen, slotted dataclass with some fields changed; no `__post_init__` is called.

        TypeError for a field that it does not have.
        """
        return _copier(type(old), *changes)(old, changes)


@cache
def unfrozen(cls: type) -> type:
    """A class with the slots of a frozen, slotted dataclass, to whose objects `cls` can be given as class."""
    slots = tuple(field.name for field in dataclasses.fields(cls))
    return type(f"Unfrozen{cls.__name__}", (), {"__slots__": slots})


def made_fast(cls: type[_T]) -> type[_T]:
    """The frozen, slotted dataclass, with an `__init__` that sets its slots while it is not frozen.

    All of its fields are given by keyword, none has a default that is made; ValueError otherwise.
    """
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]  # a dataclass, as told
    if any(not field.kw_only or field.default_factory is not dataclasses.MISSING for field in fields):
        raise ValueError(f"{cls.__qualname__} has fields of another kind")
    plain: type = cls
    known: dict[str, Any] = {"cls": cls, "unfrozen": unfrozen(plain), "set_any": object.__setattr__}
    params = ["self", "*"]
    for field in fields:
        if field.default is dataclasses.MISSING:
            params.append(field.name)
        else:
            known[f"default_{field.name}"] = field.default
            params.append(f"{field.name}=default_{field.name}")
    lines = [f"def __init__({', '.join(params)}):", "    set_any(self, '__class__', unfrozen)"]
    lines += [f"    self.{field.name} = {field.name}" for field in fields]
    lines += ["    self.__class__ = cls"]
    exec(compile("\n".join(lines), f"<made {cls.__qualname__}>", "exec"), known)  # noqa: S102  # our own text
    known["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
    cls.__init__ = known["__init__"]  # type: ignore[method-assign]
    return cls


@lru_cache(maxsize=1000)
def _copier(cls: type, *changed: str) -> Callable[[Any, dict[str, object]], Any]:
    """A function that copies field by field, but for those that it is given; TypeError for no field."""
    names = [field.name for field in dataclasses.fields(cls)]
    for name in changed:
        if name not in names:
            raise TypeError(f"{cls.__qualname__} has no field {name}")
    values = [f"changes[{name!r}]" if name in changed else f"old.{name}" for name in names]
    lines = ["def copied(old, changes):", "    made = unfrozen()"]
    lines += [f"    made.{name} = {value}" for name, value in zip(names, values, strict=True)]
    lines += ["    made.__class__ = cls", "    return made"]
    known: dict[str, Any] = {"cls": cls, "unfrozen": unfrozen(cls)}
    exec(compile("\n".join(lines), f"<copied {cls.__qualname__}>", "exec"), known)  # noqa: S102  # our own text
    copied: Callable[[Any, dict[str, object]], Any] = known["copied"]
    return copied

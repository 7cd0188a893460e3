"""Runs a program of ours as the next release would be: `assets` has a column more, its fold another version.

`python -m tests.integration.projections.next_release projections assets`, or `… ops read-models status`.
"""

import runpy
import sys
from dataclasses import replace
from typing import Any

from projections import forms
from projections.forms import ReadModel

NEXT = ("assets", "lifecycle")
COLUMN = "alter table assets add column loud text generated always as (upper(status)) stored;"


def after(model: ReadModel) -> ReadModel:
    """The model as the next release has it."""
    return replace(model, version=model.version + 1) if model.name in NEXT else model


def views() -> str:
    """The schema of the views that the next release reads."""
    return f"reads_{forms.form_of(map(after, forms.EVERY))}"


def become() -> None:
    """Makes this process the next release, before anything is imported that asks which forms there are."""
    was = {name: value for name, value in vars(forms).items() if isinstance(value, ReadModel | tuple)}
    read_views = views()
    tables: Any = vars(ReadModel)["tables"].fget
    new = after(forms.ASSETS)
    for name, value in was.items():
        setattr(forms, name, after(value) if isinstance(value, ReadModel) else tuple(map(after, value)))
    forms.VIEWS = read_views  # type: ignore[misc]  # another release is another constant
    families = (forms.OF_ASSETS, forms.OF_IDENTITY, forms.OF_OPERATIONS)
    forms.FORMS = frozenset(map(forms.form_of, families))  # type: ignore[misc]  # as above
    ReadModel.tables = property(  # type: ignore[method-assign,assignment]  # what its tables.sql would say
        lambda model: tables(model) + (COLUMN if model == new else "")
    )


if __name__ == "__main__":
    become()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

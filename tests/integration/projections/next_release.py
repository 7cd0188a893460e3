"""Programs of the next release: `assets` has a column more, its fold another version.

Each Python process that is given `environment` becomes one, and those that it starts.
"""

from dataclasses import replace
from pathlib import Path
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


def environment(folder: Path) -> dict[str, str]:
    """What to add to a program's environment; `folder` is made for what Python runs before all else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(f"from {__name__} import become\nbecome()\n")
    return {"PYTHONPATH": f"{folder}:{Path(__file__).parents[3]}"}

"""Which read models there are, and the form of each: its version, its tables, the views that show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadModel:
    """One version of a read model: its tables live in a Postgres schema of their own."""

    name: str
    version: int

    @property
    def schema(self) -> str:
        """The Postgres schema of this version."""
        return f"{self.name}_v{self.version}"

    @property
    def tables(self) -> str:
        """The statements that make its tables."""
        return (Path(__file__).parent / self.name / "tables.sql").read_text()


# Bump a version when its tables or its rows change: an old version's rows are never taken for the new one's.
LIFECYCLE: Final = ReadModel(name="lifecycle", version=3)
ASSETS: Final = ReadModel(name="assets", version=2)
JOBS: Final = ReadModel(name="jobs", version=2)
LINKS: Final = ReadModel(name="links", version=1)
ACTIVITY: Final = ReadModel(name="activity", version=3)
STORAGE: Final = ReadModel(name="storage", version=1)
USAGE: Final = ReadModel(name="usage", version=1)

ACCOUNT_STATES: Final = ReadModel(name="account_states", version=3)
ACCOUNTS: Final = ReadModel(name="accounts", version=1)
SESSIONS: Final = ReadModel(name="sessions", version=1)
API_KEYS: Final = ReadModel(name="api_keys", version=1)
ERASURES: Final = ReadModel(name="erasures", version=1)
ACCOUNT_ACTIVITY: Final = ReadModel(name="account_activity", version=3)

OPERATION_STATES: Final = ReadModel(name="operation_states", version=2)
PRESET_SETS: Final = ReadModel(name="preset_sets", version=1)
RUNS: Final = ReadModel(name="runs", version=2)

OF_ASSETS: Final = (ACTIVITY, ASSETS, JOBS, LIFECYCLE, LINKS, STORAGE, USAGE)
"""The read models of the asset log, which one loop folds in one transaction."""

OF_IDENTITY: Final = (ACCOUNT_ACTIVITY, ACCOUNT_STATES, ACCOUNTS, API_KEYS, ERASURES, SESSIONS)
"""Those of the identity log, and its loop's."""

OF_OPERATIONS: Final = (OPERATION_STATES, PRESET_SETS, RUNS)
"""Those of the operations log."""

EVERY: Final = OF_ASSETS + OF_IDENTITY + OF_OPERATIONS


def every_named() -> dict[str, object]:
    """This release's own forms as statements ask for them: `names` and `versions`, side by side."""
    return {"names": [model.name for model in EVERY], "versions": [model.version for model in EVERY]}


def family_of(name: str) -> tuple[ReadModel, ...]:
    """The read models of the log that the one of this name is folded from."""
    for family in (OF_ASSETS, OF_IDENTITY, OF_OPERATIONS):
        if any(model.name == name for model in family):
            return family
    return ()


def form_of(models: Iterable[ReadModel]) -> str:
    """One word for the forms of these read models: the same only where all of them are."""
    named = ",".join(sorted(model.schema for model in models))
    return sha256(named.encode()).hexdigest()[:8]


VIEWS: Final = f"reads_{form_of(EVERY)}"
"""The Postgres schema of the views that this release reads: always its own forms, whichever are served."""

FORMS: Final = frozenset(form_of(family) for family in (OF_ASSETS, OF_IDENTITY, OF_OPERATIONS))
"""What a batch calls itself that was folded into the forms of this release."""

"""The registry's twin for tests."""

import json

from adapters.schema_registry.protocol import COMPATIBILITY, SchemaIncompatible
from schemas.avsc import bare
from schemas.evolution import objections


class InMemorySchemaRegistry:
    """Keeps schemas in a dictionary; of the compatibility levels it knows FULL_TRANSITIVE and none."""

    def __init__(self) -> None:
        self._subjects: dict[str, list[int]] = {}
        self._schemas: dict[int, dict[str, object]] = {}
        self._levels: dict[str, str] = {}

    def lookup(self, subject: str, schema: str) -> int | None:
        """As the Protocol says."""
        wanted = bare(json.loads(schema))
        same = (number for number in self._subjects.get(subject, ()) if bare(self._schemas[number]) == wanted)
        return next(same, None)

    def exists(self, subject: str) -> bool:
        """As the Protocol says."""
        return subject in self._subjects

    def schema(self, schema_id: int) -> dict[str, object] | None:
        """As the Protocol says."""
        return self._schemas.get(schema_id)

    def register(self, subject: str, schema: str) -> int:
        """As the Protocol says."""
        known = self.lookup(subject, schema)
        if known is not None:
            return known
        new = json.loads(schema)
        if self._levels.get(subject) == COMPATIBILITY:
            for number in self._subjects.get(subject, ()):
                if reasons := objections(self._schemas[number], new):
                    raise SchemaIncompatible("; ".join(reasons))
        number = len(self._schemas) + 1
        self._schemas[number] = new
        self._subjects.setdefault(subject, []).append(number)
        return number

    def compatibility(self, subject: str) -> str | None:
        """As the Protocol says."""
        return self._levels.get(subject)

    def set_compatibility(self, subject: str, level: str) -> None:
        """As the Protocol says."""
        self._levels[subject] = level

    def close(self) -> None:
        """Nothing to let go of."""

"""What a schema registry promises, and how a call can end otherwise.

RegistryError
├── RegistryUnavailable     no answer, or a fault of its own: ask again later
└── RegistryRefused         an answer that no repetition changes
    └── SchemaIncompatible  the schema can't follow those that the subject has

ContractMismatch            the registry answers, and does not hold our contract
"""

from typing import Final, Protocol

COMPATIBILITY: Final = "FULL_TRANSITIVE"


class RegistryError(Exception):
    """A call that did not succeed."""


class RegistryUnavailable(RegistryError):
    """The registry can't be reached, or is not well."""


class RegistryRefused(RegistryError):
    """The registry will not do it."""


class SchemaIncompatible(RegistryRefused):
    """The schema and an older one of the subject can't read each other's records."""


class ContractMismatch(Exception):
    """The registry holds another contract than this program's; `sentences` say what to do."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        self.sentences = sentences
        super().__init__("\n".join(sentences))


class SchemaRegistry(Protocol):
    """Subjects with their schemas as JSON texts, an id for each schema. Any call may raise RegistryError."""

    def lookup(self, subject: str, schema: str) -> int | None:
        """The id of this very schema under the subject; None where it has no such schema, or is not there."""
        ...

    def exists(self, subject: str) -> bool:
        """Whether the subject has any schema."""
        ...

    def schema(self, schema_id: int) -> dict[str, object] | None:
        """The schema of an id, whatever its subject; None where there is none."""
        ...

    def register(self, subject: str, schema: str) -> int:
        """Registers the schema, unless it is already, and gives its id; raises SchemaIncompatible."""
        ...

    def compatibility(self, subject: str) -> str | None:
        """The subject's own compatibility level; None where it has none of its own."""
        ...

    def set_compatibility(self, subject: str, level: str) -> None:
        """Sets the subject's own compatibility level; the subject need not exist."""
        ...

    def close(self) -> None:
        """Lets go of connections; a later question opens a new one."""
        ...

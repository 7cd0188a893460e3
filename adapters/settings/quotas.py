"""How much one user may keep, and have under way."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from adapters.settings.fields import Fragment

_OFF: Final = "off"


def _read(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == _OFF else value


Amount = Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_read)]
"""A number, or `off`."""


class QuotaSettings(Fragment):
    """What one user may keep: held exactly, by all processes together; off where there is no bound.

    Originals count, in the trash too, and so do uploads under way, with their declared sizes; variants don't.
    """

    bytes: Amount = Field(
        default=None, validation_alias="QUOTA_BYTES", description="Bytes of one user's originals; or off."
    )
    files: Amount = Field(
        default=None, validation_alias="QUOTA_FILES", description="One user's originals; or off."
    )
    uploads: Amount = Field(
        default=None,
        validation_alias="UPLOADS_IN_FLIGHT",
        description="Uploads that one user may have under way; or off.",
    )

    @property
    def off(self) -> bool:
        """Whether nothing is bounded."""
        return self.bytes is None and self.files is None and self.uploads is None

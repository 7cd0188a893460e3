"""The words that people give their pictures, and how long they may be."""

import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_TAGS: Final = 50
MAX_TAG_LENGTH: Final = 50


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _storable(text: str) -> str:
    # NUL can't stand in Postgres; half a surrogate pair can't stand in UTF-8, nor in the log.
    if "\0" in text or any(unicodedata.category(character) == "Cs" for character in text):
        raise ValueError("must not hold NUL or half a surrogate pair")
    return text


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Trimmed, without blanks, each once, in the order given."""
    return tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))


Text = Annotated[str, AfterValidator(_storable)]
FileName = Annotated[
    Text, Field(min_length=1, max_length=255, examples=["harbour.jpg"]), AfterValidator(_not_blank)
]
Title = Annotated[Text, Field(max_length=200, examples=["Harbour at noon"])]
Description = Annotated[Text, Field(max_length=5000, examples=["Boats, mostly."])]
Tag = Annotated[Text, Field(max_length=MAX_TAG_LENGTH, pattern="^[^,]*$")]
Tags = Annotated[
    tuple[Tag, ...], Field(max_length=MAX_TAGS, examples=[["sea", "boats"]]), AfterValidator(_tags)
]


class Words(BaseModel):
    """What is sealed into the log, and shown in the clear to its owner alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_name: FileName
    title: Title | None = None
    description: Description | None = None
    tags: Tags = ()

    def to_seal(self) -> dict[str, Any]:
        """As it stands in `sealed_words`."""
        return {
            "file_name": self.file_name,
            "title": self.title,
            "description": self.description,
            "tags": list(self.tags),
        }


def split_tags(text: str) -> list[str]:
    """The tags of a form's field, where commas stand between them."""
    return [part for part in text.split(",") if part.strip()]

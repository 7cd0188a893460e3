"""What an asset's sealed fields say in the clear."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from adapters.sealing import SealBroken, Seals, open_json
from schemas.events import AssetEvent, AssetUpdated, UploadRequested, VariantsReady
from schemas.replacing import made_fast


@made_fast
@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What its owner calls it; all null where nothing was said or the key is erased."""

    file_name: str | None = None
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()


@made_fast
@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read off the picture: `thumbhash` in base64, `taken_at` in the camera's own time."""

    thumbhash: str | None = None
    taken_at: str | None = None
    camera: str | None = None


NO_WORDS: Final = Words()
NO_FACTS: Final = Facts()


class ClearText:
    """Opens sealed fields, each once: what a batch has opened is kept until `forget`."""

    def __init__(self, keys: Seals) -> None:
        self._keys = keys
        # By what is sealed, with whose it is: sealing is never twice the same.
        self._words: dict[bytes, tuple[UUID, Words]] = {}
        self._facts: dict[bytes, tuple[UUID, Facts]] = {}

    def check(self, event: AssetEvent) -> None:
        """Opens what the event carries for the rows; raises SealBroken, UnknownKey."""
        match event:
            case UploadRequested() | AssetUpdated():
                self.words(event.owner_id, event.sealed_words)
            case VariantsReady():
                self.facts(event.owner_id, event.sealed_facts)
            case _:
                pass

    def words(self, owner_id: UUID, sealed: bytes | None) -> Words:
        """The words, none of them once the owner's key is erased."""
        if sealed is None:
            return NO_WORDS
        known = self._words.get(sealed)
        if known is None or (known[0] is not owner_id and known[0] != owner_id):
            clear = open_json(self._keys, user_id=owner_id, field="sealed_words", sealed=sealed)
            known = self._words[sealed] = (owner_id, NO_WORDS if clear is None else _words(clear))
        return known[1]

    def facts(self, owner_id: UUID, sealed: bytes | None) -> Facts:
        """The facts, none of them once the owner's key is erased."""
        if sealed is None:
            return NO_FACTS
        known = self._facts.get(sealed)
        if known is None or (known[0] is not owner_id and known[0] != owner_id):
            clear = open_json(self._keys, user_id=owner_id, field="sealed_facts", sealed=sealed)
            known = self._facts[sealed] = (owner_id, NO_FACTS if clear is None else _facts(clear))
        return known[1]

    def forget(self) -> None:
        """Lets go of all clear text."""
        self._words.clear()
        self._facts.clear()


def _words(clear: dict[str, object]) -> Words:
    tags = clear.get("tags") or []
    if not isinstance(tags, list):
        raise SealBroken("the tags are no list")
    return Words(
        file_name=_text(clear, "file_name"),
        title=_text(clear, "title"),
        description=_text(clear, "description"),
        tags=tuple(_storable(tag) for tag in tags),
    )


def _facts(clear: dict[str, object]) -> Facts:
    return Facts(
        thumbhash=_text(clear, "thumbhash"),
        taken_at=_text(clear, "taken_at"),
        camera=_text(clear, "camera"),
    )


def _text(clear: dict[str, object], name: str) -> str | None:
    value = clear.get(name)
    return None if value is None else _storable(value)


def _storable(value: object) -> str:
    """The value as a text that Postgres takes: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or "\0" in value:
        raise SealBroken("what was sealed holds something that is no text")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise SealBroken("what was sealed holds broken text") from error
    return value

"""What an asset is found by: its words as terms, and a search as the terms that must all be there.

Both sides are cut by the same functions, so that no setting of a database decides what a word is.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from projections.assets.clear import Words

# A description of 5,000 characters holds some hundred words; what comes later is not found.
MOST_TERMS: Final = 400
LONGEST_TERM: Final = 40
MOST_SOUGHT: Final = 10
_TAG: Final = "#"
# Letters and digits of any script with their marks; underscores join nothing (IMG_1234 is two words).
_WORD: Final = re.compile(r"[^\W_]+")


def terms(words: Words) -> list[str]:
    """The terms of an asset, each once, sorted: its words in lower case, and each tag whole after a `#`."""
    texts = (words.title, words.file_name, *words.tags, words.description)
    found = dict.fromkeys(_cut("\n".join(filter(None, texts))))  # no word, and no letter, crosses a line
    return sorted({*map(tag_term, words.tags), *list(found)[:MOST_TERMS]})


def tag_term(tag: str) -> str:
    """The term of a tag; how it is capitalised does not matter."""
    return _TAG + _folded(tag)


def sought(text: str) -> list[str]:
    """The beginnings of words that a search asks for; empty where it holds no word."""
    return list(dict.fromkeys(_cut(text)))[:MOST_SOUGHT]


def search_query(owner_id: UUID, *, beginnings: Sequence[str], tags: Iterable[str]) -> str:
    """A tsquery as Postgres writes it: this owner's assets that have all the tags and all the beginnings."""
    whole = [str(owner_id), *(tag_term(tag) for tag in tags)]
    return " & ".join([*(_quoted(term) for term in whole), *(_quoted(term) + ":*" for term in beginnings)])


def _cut(text: str) -> list[str]:
    return [word[:LONGEST_TERM] for word in _WORD.findall(_folded(text))]


def _folded(text: str) -> str:
    """Without case, and composed: a name typed on one system is found on another (NFC and NFD twins)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _quoted(term: str) -> str:
    escaped = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"

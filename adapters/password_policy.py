"""Which passwords are good enough: of some length, and not among the first that anybody guesses."""

import threading
import unicodedata
from collections.abc import Sequence
from typing import Final

SHORTEST: Final = 8
LONGEST: Final = 256
"""Characters. The longest is far beyond what anybody types; more would only cost us time."""

# zxcvbn's scale from 0 to 4: 3 withstands 10^8 guesses, more than anybody gets past our limits.
_ENOUGH: Final = 3
# Its time grows with the length, and with each sign that can stand for a letter; what begins well stays good.
_JUDGED: Final = 64
_JUDGED_WITH_SIGNS: Final = 20
_SIGNS: Final = frozenset("4@8({[<369&#!1/|0$5+7%2")
_MANY_SIGNS: Final = 8

# The estimator keeps what it was told of one password in a table that all share.
_judging = threading.Lock()


class WeakPassword(ValueError):
    """A password that is not accepted; the text says why and does not repeat it."""


def canonical_password(text: str) -> str:
    """One form for all ways in which keyboards compose the same characters (NFKC, as NIST 800-63B says)."""
    return unicodedata.normalize("NFKC", text)


def require_good(password: str, about: Sequence[str] = ()) -> None:
    """Raises WeakPassword for what is too short, too long, common or easily guessed.

    `about` are words that others would try first, such as the person's address. Takes milliseconds, once
    some hundred (word lists are read at the first call): not for an event loop.
    """
    if len(password) < SHORTEST:
        raise WeakPassword(f"must have {SHORTEST} characters or more")
    if len(password) > LONGEST:
        raise WeakPassword(f"must have {LONGEST} characters at most")
    judged = _JUDGED if len(_SIGNS.intersection(password)) < _MANY_SIGNS else _JUDGED_WITH_SIGNS
    if _score(password[:judged], about) < _ENOUGH:
        raise WeakPassword("is too easily guessed; a few unrelated words make a good one")


def _score(password: str, about: Sequence[str]) -> int:
    # Here, because its word lists cost every start 100 ms and 20 MB.
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]  # ships no types

    with _judging:
        return int(zxcvbn(password, user_inputs=[word[:_JUDGED] for word in about])["score"])

"""What the identity log tells of: accounts, one stream each, folded by schemas.account."""

from operator import attrgetter
from typing import Final, TypeAlias, get_args

from projections import folding
from schemas.account import fold
from schemas.account_state import AccountState
from schemas.events import IdentityEvent
from schemas.identity import is_account_key

Applied: TypeAlias = folding.Applied[AccountState, IdentityEvent]
Changed: TypeAlias = folding.Change[AccountState]
Folded: TypeAlias = folding.Folded[str, AccountState, IdentityEvent]


def account_of(key: bytes | None) -> str | None:
    """The account whose records have this key; None where it is no account's."""
    text = (key or b"").decode("latin-1")
    return text if is_account_key(text) else None


STREAMS: Final[folding.Streams[str, AccountState, IdentityEvent]] = folding.Streams(
    events=get_args(IdentityEvent), id_of_key=account_of, id_of=attrgetter("account_key"), fold=fold
)

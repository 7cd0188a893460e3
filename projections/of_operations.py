"""What the operations log tells of: preset sets and runs, one stream each, folded by schemas.operation."""

from typing import Final, TypeAlias, get_args

from projections import folding
from schemas.operation import OperationState, StreamEvent, fold, stream_of

Applied: TypeAlias = folding.Applied[OperationState, StreamEvent]
Changed: TypeAlias = folding.Change[OperationState]
Folded: TypeAlias = folding.Folded[str, OperationState, StreamEvent]


class NothingSealed:
    """Opens nothing: this log holds nothing personal."""

    def check(self, event: StreamEvent) -> None:
        """Nothing to open."""

    def forget(self) -> None:
        """Nothing to let go of."""


def stream_of_key(key: bytes | None) -> str | None:
    """The stream whose records have this key; None for what is no text."""
    try:
        return (key or b"").decode("ascii") or None
    except UnicodeDecodeError:
        return None


STREAMS: Final[folding.Streams[str, OperationState, StreamEvent]] = folding.Streams(
    events=get_args(StreamEvent), id_of_key=stream_of_key, id_of=stream_of, fold=fold
)

"""The ways in which doors say no to changes of an asset; part of the catalogue of api.problems.

StatusProblem
├── 409  InTrash, TimeIsOver, NotUploaded, StillWorking, AssetChanged, TooManyLinks
├── 412  VersionLost
└── 503  AssetSetAside
"""

from collections.abc import MutableMapping
from typing import Final

from fastapi_problem.error import StatusProblem


class InTrash(StatusProblem):
    """What lies in the trash can be read, restored or removed for good, and nothing else."""

    status = 409
    type_ = "in-trash"
    title = "This asset is in the trash; restore it first."


class TimeIsOver(StatusProblem):
    """The asset's time in the trash is over: it is being removed for good."""

    status = 409
    type_ = "time-is-over"
    title = "This asset is being removed for good."


class NotUploaded(StatusProblem):
    """There are no bytes to work on: the upload was not completed."""

    status = 409
    type_ = "not-uploaded"
    title = "Nothing was uploaded for this asset."


class StillWorking(StatusProblem):
    """A job of this asset waits or runs; its variants are on their way."""

    status = 409
    type_ = "still-working"
    title = "This asset is being worked on."


class AssetChanged(StatusProblem):
    """The asset kept changing while this was decided; look at it again."""

    status = 409
    type_ = "asset-changed"
    title = "The asset kept changing meanwhile."


class TooManyLinks(StatusProblem):
    """The asset has as many shared links as it may; revoke one first."""

    status = 409
    type_ = "too-many-links"
    title = "There are too many shared links of this asset."


class VersionLost(StatusProblem):
    """If-Match names a version that the asset no longer has; read it again."""

    status = 412
    type_ = "version-lost"
    title = "The asset is not of that version any more."


class AssetSetAside(StatusProblem):
    """A record of this asset can't be read, and what comes after it waits until an operator has seen to it.

    So nobody could tell how this ends, and it was not begun: nothing was recorded.
    """

    status = 503
    type_ = "asset-set-aside"
    title = "This asset can't be changed until a fault of ours is mended; nothing was recorded."
    # People mend it, not time.
    headers_: MutableMapping[str, str] | None = {"Retry-After": "60"}  # noqa: RUF012 - its base declares it so


ASSETS: Final[tuple[type[StatusProblem], ...]] = (
    InTrash,
    TimeIsOver,
    NotUploaded,
    StillWorking,
    AssetChanged,
    TooManyLinks,
    VersionLost,
    AssetSetAside,
)

"""The ways in which doors say no to uploads; part of the catalogue of api.problems.

StatusProblem
├── 409  PartsMissing, UploadFinished
├── 413  QuotaExceeded
└── 429  TooManyUploads
"""

from collections.abc import MutableMapping
from typing import Final

from fastapi_problem.error import StatusProblem

_RETRY_LATER: Final = {"Retry-After": "5"}
_Headers = MutableMapping[str, str] | None


class PartsMissing(StatusProblem):
    """Parts have not arrived, or are not as they were sent; `missing` names them, a hundred at most."""

    status = 409
    type_ = "parts-missing"
    title = "Parts of the upload are missing."


class UploadFinished(StatusProblem):
    """The upload was completed: there is nothing to send or to abort any more."""

    status = 409
    type_ = "upload-finished"
    title = "This upload is complete."


class QuotaExceeded(StatusProblem):
    """The user may not keep that much; `bytes_left` and `files_left` say what there is room for."""

    status = 413
    type_ = "quota-exceeded"
    title = "There is no room left for that."


class TooManyUploads(StatusProblem):
    """The user has as many uploads under way as allowed; complete or abort one."""

    status = 429
    type_ = "too-many-uploads"
    title = "There are too many uploads under way."
    headers_: _Headers = _RETRY_LATER


UPLOADS: Final[tuple[type[StatusProblem], ...]] = (
    PartsMissing,
    UploadFinished,
    QuotaExceeded,
    TooManyUploads,
)

"""Every way in which a door says no: its status, its stable type and its public words.

Problem (fastapi-problem's, rendered as RFC 9457)
└── StatusProblem
    ├── 400  MalformedRequest, UnknownHost
    ├── 401  Unauthenticated
    ├── 404  NotFound
    ├── 405  MethodNotAllowed
    ├── 408  TooSlow
    ├── 409  WrongSize
    ├── 410  UploadGone
    ├── 413  TooLarge
    ├── 415  UnsupportedMediaType
    ├── 422  Invalid, EmptyUpload, KeyReused
    ├── 429  TooManyStreams, TooManyRequests
    ├── 431  HeadTooLarge
    ├── 500  Internal
    ├── 503  Unavailable, LogDown, OutcomeOpen, ReadStoreDown, StoreDown, NotYetApplied
    └── those of api.{asset,identity,job,run,upload}_problems
"""

from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from fastapi_problem.error import StatusProblem

from adapters.settings.rates import Rate
from api.asset_problems import ASSETS
from api.identity_problems import IDENTITY
from api.job_problems import JOBS
from api.run_problems import RUNS
from api.upload_problems import UPLOADS

TYPE_PREFIX: Final = "/problems/"

_Headers = MutableMapping[str, str] | None
_BEARER: Final = {"WWW-Authenticate": 'Bearer realm="darkroom"'}
_CLOSE: Final = {"Connection": "close"}
_RETRY_SOON: Final = {"Retry-After": "1"}
_RETRY_LATER: Final = {"Retry-After": "5"}


class MalformedRequest(StatusProblem):
    """The bytes are not what their type says: broken JSON, a broken form, an impossible header."""

    status = 400
    type_ = "malformed-request"
    title = "The request can't be read."


class UnknownHost(StatusProblem):
    """The request is for another host, or for none, or for two."""

    status = 400
    type_ = "unknown-host"
    title = "This server does not answer for that host."


class Unauthenticated(StatusProblem):
    """No credential, or none that is known."""

    status = 401
    type_ = "unauthenticated"
    title = "A valid credential is needed."
    headers_: _Headers = _BEARER


class NotFound(StatusProblem):
    """Nothing of that name is yours: it never was, or it is somebody else's. Both look alike."""

    status = 404
    type_ = "not-found"
    title = "There is nothing here."


class MethodNotAllowed(StatusProblem):
    """The path is known, the method is not; `Allow` says which are."""

    status = 405
    type_ = "method-not-allowed"
    title = "That method is not allowed here."


class TooSlow(StatusProblem):
    """The body came too slowly."""

    status = 408
    type_ = "request-timeout"
    title = "The request took too long to arrive."
    headers_: _Headers = _CLOSE


class WrongSize(StatusProblem):
    """What was uploaded is not of the size that was declared, or changes while it is looked at."""

    status = 409
    type_ = "wrong-size"
    title = "The upload is not what was declared."


class UploadGone(StatusProblem):
    """The upload was aborted, its token is out of date, or its bytes were swept."""

    status = 410
    type_ = "upload-gone"
    title = "This upload can no longer be completed."


class TooLarge(StatusProblem):
    """More bytes than allowed; `limit` says how many are."""

    status = 413
    type_ = "too-large"
    title = "That is too large."


class UnsupportedMediaType(StatusProblem):
    """A body of a type, or in an encoding, that this door does not take."""

    status = 415
    type_ = "unsupported-media-type"
    title = "That kind of content is not accepted here."


class Invalid(StatusProblem):
    """Readable, but not acceptable; `errors` says where and why."""

    status = 422
    type_ = "invalid-request"
    title = "Some values are not acceptable."


class EmptyUpload(StatusProblem):
    """A file without a byte."""

    status = 422
    type_ = "empty-upload"
    title = "The file is empty."


class KeyReused(StatusProblem):
    """The Idempotency-Key was used before, for a request that said something else."""

    status = 422
    type_ = "idempotency-key-reused"
    title = "This Idempotency-Key belongs to another request."


class TooManyStreams(StatusProblem):
    """The caller has as many live streams as allowed."""

    status = 429
    type_ = "too-many-streams"
    title = "There are too many live streams open."
    headers_: _Headers = _RETRY_LATER


class TooManyRequests(StatusProblem):
    """There were too many of the kind; `Retry-After` says when there may be one more."""

    status = 429
    type_ = "too-many-requests"
    title = "There were too many requests."
    headers_: _Headers = _RETRY_LATER

    @classmethod
    def of(cls, kind: str, rate: Rate, wait: int) -> "TooManyRequests":
        """The refusal of one more of `kind` at this rate before `wait` seconds are over."""
        headers = {
            "Retry-After": str(wait),
            "RateLimit-Policy": f'"{kind}";q={rate.amount};w={rate.seconds}',
            "RateLimit": f'"{kind}";r=0;t={wait}',
        }
        return cls(headers=headers)


class HeadTooLarge(StatusProblem):
    """The request's line and headers are longer than any that we need."""

    status = 431
    type_ = "head-too-large"
    title = "The head of the request is too large."
    headers_: _Headers = _CLOSE


class Internal(StatusProblem):
    """A fault of ours; whatever caused it stays in the logs."""

    status = 500
    type_ = "internal"
    title = "Something went wrong here."

    def __init__(self, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        del detail, headers  # fastapi-problem passes the exception's text, which is nobody's business
        super().__init__()


class Unavailable(StatusProblem):
    """Something that this needs is not there right now."""

    status = 503
    type_ = "unavailable"
    title = "This can't be done right now."
    headers_: _Headers = _RETRY_LATER


class LogDown(StatusProblem):
    """The event log can't be reached: nothing was recorded, and nothing will be."""

    status = 503
    type_ = "log-unavailable"
    title = "The event log can't be reached; nothing was recorded."
    headers_: _Headers = _RETRY_LATER


class OutcomeOpen(StatusProblem):
    """The event log did not say whether it took the event."""

    status = 503
    type_ = "outcome-unknown"
    title = "It is not known whether this was recorded; repeat it with the same Idempotency-Key."
    headers_: _Headers = _RETRY_SOON


class ReadStoreDown(StatusProblem):
    """The read models can't be reached."""

    status = 503
    type_ = "read-store-unavailable"
    title = "Nothing can be read right now."
    headers_: _Headers = _RETRY_LATER


class StoreDown(StatusProblem):
    """The object store can't be reached."""

    status = 503
    type_ = "object-store-unavailable"
    title = "The object store can't be reached."
    headers_: _Headers = _RETRY_LATER


class NotYetApplied(StatusProblem):
    """The read model has not passed the position that the read was given."""

    status = 503
    type_ = "not-yet-applied"
    title = "The read models have not caught up with that position yet."
    headers_: _Headers = _RETRY_SOON


CATALOGUE: Final[tuple[type[StatusProblem], ...]] = (
    MalformedRequest,
    UnknownHost,
    Unauthenticated,
    NotFound,
    MethodNotAllowed,
    TooSlow,
    WrongSize,
    UploadGone,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    EmptyUpload,
    KeyReused,
    TooManyStreams,
    TooManyRequests,
    HeadTooLarge,
    Internal,
    Unavailable,
    LogDown,
    OutcomeOpen,
    ReadStoreDown,
    StoreDown,
    NotYetApplied,
    *ASSETS,
    *RUNS,
    *IDENTITY,
    *JOBS,
    *UPLOADS,
)


def invalid(location: str, message: str) -> Invalid:
    """A refusal of one value: where it stood (`body.size`, `query.limit`) and why."""
    return Invalid(errors=[{"location": location, "message": message}])


def problem_body(problem: StatusProblem, *, instance: str) -> dict[str, Any]:
    """The JSON of a problem, for places that render outside of FastAPI."""
    return {**problem.marshal(uri=TYPE_PREFIX + "{type}"), "instance": instance}

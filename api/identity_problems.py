"""The ways in which doors say no to people and their credentials; part of the catalogue of api.problems.

StatusProblem
├── 401  WrongCredentials, RefreshRefused
├── 403  NotAllowed, ScopeMissing, PersonNeeded, OriginRefused
├── 409  AddressTaken, ChangedMeanwhile, TooManyKeys
└── 503  Pending, ProjectorAway, Busy
"""

from collections.abc import MutableMapping
from typing import Final

from fastapi_problem.error import StatusProblem

_Headers = MutableMapping[str, str] | None
_RETRY_SOON: Final = {"Retry-After": "1"}
_RETRY_LATER: Final = {"Retry-After": "5"}
_BEARER: Final = {"WWW-Authenticate": 'Bearer realm="darkroom"'}


class WrongCredentials(StatusProblem):
    """The address is not known, or the password is not its own: which of the two is not said."""

    status = 401
    type_ = "wrong-credentials"
    title = "Address and password don't belong together."
    headers_: _Headers = _BEARER


class RefreshRefused(StatusProblem):
    """The refresh token is none of ours, out of date, used before, or of a session that has ended: log in."""

    status = 401
    type_ = "refresh-refused"
    title = "This session can't be continued."
    headers_: _Headers = _BEARER


class NotAllowed(StatusProblem):
    """The caller is known, but this is for administrators."""

    status = 403
    type_ = "not-allowed"
    title = "Your role does not allow this."


class ScopeMissing(StatusProblem):
    """The API key was not given the scope that this needs; `scope` names it."""

    status = 403
    type_ = "scope-missing"
    title = "This API key was not given the scope for this."


class PersonNeeded(StatusProblem):
    """An API key can't do this: log in with address and password."""

    status = 403
    type_ = "person-needed"
    title = "Only a person who has logged in may do this."


class OriginRefused(StatusProblem):
    """A request that carries the session's cookie, but does not come from a page of ours."""

    status = 403
    type_ = "origin-refused"
    title = "This request does not come from our own page."


class AddressTaken(StatusProblem):
    """Somebody has an account with this address."""

    status = 409
    type_ = "address-taken"
    title = "There is an account with this address."


class ChangedMeanwhile(StatusProblem):
    """The account kept changing while this was decided; look at it again."""

    status = 409
    type_ = "changed-meanwhile"
    title = "The account has changed meanwhile."


class TooManyKeys(StatusProblem):
    """The account has as many API keys as it may; revoke one first."""

    status = 409
    type_ = "too-many-keys"
    title = "There are too many API keys."


class Pending(StatusProblem):
    """Recorded, or maybe so, and not decided yet: repeat it with the Idempotency-Key that is named."""

    status = 503
    type_ = "pending"
    title = "This is not decided yet; repeat it with the Idempotency-Key that is named here."
    headers_: _Headers = _RETRY_SOON


class ProjectorAway(StatusProblem):
    """Nobody could tell how this ends, so it was not begun: nothing was recorded."""

    status = 503
    type_ = "projector-unavailable"
    title = "This can't be decided right now; nothing was recorded."
    headers_: _Headers = _RETRY_LATER


class Busy(StatusProblem):
    """As many passwords as this process takes at a time are being checked."""

    status = 503
    type_ = "busy"
    title = "Too many are logging in right now."
    headers_: _Headers = _RETRY_SOON


IDENTITY: Final[tuple[type[StatusProblem], ...]] = (
    WrongCredentials,
    RefreshRefused,
    NotAllowed,
    ScopeMissing,
    PersonNeeded,
    OriginRefused,
    AddressTaken,
    ChangedMeanwhile,
    TooManyKeys,
    Pending,
    ProjectorAway,
    Busy,
)

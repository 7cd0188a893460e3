"""Where the doors count: each caller's requests, strangers' requests, logins and registrations."""

from starlette.requests import Request
from starlette.types import Scope

from api.caller import Caller
from api.limits.classes import Class
from api.limits.counters import CountersAway
from api.limits.limiter import Permit, RateExceeded
from api.limits.networks import network_of
from api.parts import Parts
from api.problems import TooManyRequests, Unavailable
from api.security_events import say

_READS = frozenset({"GET", "HEAD"})
_UPLOADS = "/v1/uploads"


async def admit_caller(parts: Parts, request: Request, caller: Caller) -> None:
    """Counts one request of somebody who was believed; raises TooManyRequests."""
    if caller.credential.startswith("key:"):
        await _admit(parts, "keys", caller.credential)
    await _admit(parts, _class_of(request), str(caller.user_id))


async def admit_stranger(parts: Parts, scope: Scope) -> Permit:
    """Counts one request of nobody that we know; raises TooManyRequests."""
    return await _admit(parts, "strangers", network_of(scope))


async def admit_login(parts: Parts, request: Request, account_key: str) -> Permit:
    """Leave to try one password; raises TooManyRequests, and Unavailable where nobody can count.

    After a right password the permit is to be given back: what is counted are wrong ones.
    """
    network = await _admit(parts, "login_network", network_of(request.scope))
    try:
        return network + await _admit(parts, "login_account", account_key)
    except (TooManyRequests, Unavailable):
        network.give_back()  # no password was looked at
        raise


async def admit_registration(parts: Parts, request: Request) -> Permit:
    """Leave to try to register; raises TooManyRequests, and Unavailable where nobody can count."""
    return await _admit(parts, "registrations", network_of(request.scope))


async def _admit(parts: Parts, kind: Class, subject: str) -> Permit:
    try:
        return await parts.limits.admit(kind, subject)
    except RateExceeded as error:
        say(parts, "rate_limited", kind=kind)
        raise TooManyRequests.of(kind, error.rate, error.wait) from error
    except CountersAway as error:
        raise Unavailable("Attempts can't be counted right now, so none is allowed.") from error


def _class_of(request: Request) -> Class:
    if request.method in _READS:
        return "reads"
    return "uploads" if request.url.path.startswith(_UPLOADS) else "writes"

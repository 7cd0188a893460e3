"""The account of a caller who logged in, as far as the read models know it."""

from starlette.requests import Request

from api.access import entered, wait_for
from api.caller import Caller
from api.credentials.access_tokens import Access
from api.parts import Parts
from api.problems import Unauthenticated
from projections.accounts.queries import AccountRow
from schemas.positions import Position


async def person(request: Request) -> tuple[Parts, Caller, Access]:
    """As `entered`, for people who logged in and for nobody else."""
    parts, caller = await entered(request, "person")
    if caller.access is None:
        raise Unauthenticated
    return parts, caller, caller.access


async def account_of(parts: Parts, caller: Caller) -> AccountRow | None:
    """The caller's account; None where there is none: a machine's key, or somebody who was erased.

    What a token was minted for just now is waited for; raises NotYetApplied.
    """
    account = await parts.identity.accounts.by_user(caller.user_id)
    if account is None and caller.access is not None:
        await wait_for(parts, Position.from_token(caller.access.position))
        account = await parts.identity.accounts.by_user(caller.user_id)
    return account


async def own_account(parts: Parts, caller: Caller) -> AccountRow:
    """As `account_of`; raises Unauthenticated where there is none."""
    account = await account_of(parts, caller)
    if account is None:
        raise Unauthenticated
    return account

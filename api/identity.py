"""What the doors know people by, gathered once a program: read models, passwords, tokens, denials."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from cachetools import TTLCache

from adapters.account_keys import Address, account_key
from adapters.clock import Clock
from adapters.password_hashes import PasswordHashes
from adapters.settings import Settings
from adapters.telemetry.metrics import IdentityMetrics
from api.caller import StaticKeys
from api.credentials.access_tokens import AccessTokens
from api.credentials.combined import AllCredentials
from api.credentials.denials import Denials
from api.credentials.issued_keys import IssuedKeys
from api.credentials.key_uses import KeyUses
from api.credentials.refresh_tokens import RefreshTokens
from api.queries.accounts import Accounts

# Longer than the read models lag in health, and somewhat more sessions than refresh meanwhile.
_LAG_SECONDS: Final = 60.0
_SESSIONS: Final = 100_000


def presented_here() -> TTLCache[UUID, int]:
    """For each session the highest generation that this process saw, while the read models may not know."""
    return TTLCache(_SESSIONS, _LAG_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Opened and closed by whoever made it."""

    accounts: Accounts
    passwords: PasswordHashes
    access: AccessTokens
    refresh: RefreshTokens
    denials: Denials
    uses: KeyUses
    presented: TTLCache[UUID, int] = field(default_factory=presented_here)
    secret: bytes = field(repr=False)

    def key_of(self, address: Address) -> str:
        """The account key of an address."""
        return account_key(address, self.secret)

    def key_of_no_address(self, text: str) -> str:
        """What attempts at a text that is no address are counted under; no account ever has it."""
        return hmac.new(self.secret, b"no address\0" + text.encode(), hashlib.sha256).hexdigest()


def measure(identity: Identity, metrics: IdentityMetrics) -> None:
    """From here on the gauges show what there is."""
    metrics.denials.of().set_function(lambda: len(identity.denials))
    metrics.passwords_waiting.of().set_function(lambda: identity.passwords.waiting)


def credentials_of(settings: Settings, identity: Identity, clock: Clock) -> AllCredentials:
    """Whom the doors believe: static keys of the settings, issued keys, people with access tokens."""
    secret = settings.secrets.id_key
    issued = IssuedKeys(identity.accounts, identity.denials, identity.uses, clock=clock)
    static = StaticKeys(settings.secrets.api_keys, id_secret=secret)
    return AllCredentials(static, issued, identity.access, identity.denials)


def identity_of(settings: Settings, accounts: Accounts, passwords: PasswordHashes, clock: Clock) -> Identity:
    """All of it, by the settings."""
    secrets, identity = settings.secrets, settings.identity
    access = AccessTokens(
        secrets.jwt_secrets,
        issuer=identity.issuer,
        audience=identity.audience,
        life=secrets.jwt_access_expire,
        clock=clock,
    )
    return Identity(
        accounts=accounts,
        passwords=passwords,
        access=access,
        refresh=RefreshTokens(secrets.jwt_refresh_secrets),
        denials=Denials(clock=clock, life=secrets.jwt_access_expire),
        uses=KeyUses(accounts.note_key_uses),
        secret=secrets.account_key_secret.get_secret_value().encode(),
    )

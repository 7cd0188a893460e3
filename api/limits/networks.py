"""Which network a request comes from: what strangers are counted by, and how logs name it untold."""

import hashlib
import hmac
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import Scope

# What one customer of a provider has at least: whoever owns one address of it owns them all.
_IPV6_PREFIX: Final = 64
UNKNOWN: Final = "unknown"
# With a scope; what a proxy passes on as an address may be anything.
_LONGEST_ADDRESS: Final = 100
_REMEMBERED: Final = 4096
_PURPOSE: Final = b"darkroom/network\0"


def network_of(scope: Scope) -> str:
    """The network of the client, or of whom a trusted proxy names: an IPv4 address or half an IPv6 one."""
    client = scope.get("client")
    return _network(client[0] if client else "")


@lru_cache(_REMEMBERED)
def pseudonym(network: str, secret: bytes) -> str:
    """What logs call the network: always the same, and nothing that leads back to it."""
    return hmac.digest(secret, _PURPOSE + network.encode(), hashlib.sha256).hex()[:12]


@lru_cache(_REMEMBERED)
def _network(host: str) -> str:
    if len(host) > _LONGEST_ADDRESS:
        return UNKNOWN
    try:
        address = ip_address(host)
    except ValueError:
        return UNKNOWN
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), _IPV6_PREFIX), strict=False))

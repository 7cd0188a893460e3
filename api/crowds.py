"""How many connections each network holds, so that none of them has them all."""

from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from api.limits.networks import UNKNOWN, network_of


class Crowds:
    """Counts for one listener. Behind trusted proxies everybody comes from them, so those are not counted."""

    def __init__(self, most: int, proxies: Sequence[str] = ()) -> None:
        """Each network may hold `most` connections; 0 means any number, as does `*` among the proxies."""
        self._most = 0 if "*" in proxies else most
        self._proxies = [ip_network(network, strict=False) for network in proxies if network != "*"]
        self._held: Counter[str] = Counter()

    def enter(self, peer: str) -> str | None:
        """What to `leave` with once the connection has ended; None where there is no room for it."""
        network = network_of({"client": (peer, 0)})
        if not self._most or network == UNKNOWN or self._trusted(peer):
            return ""
        if self._held[network] >= self._most:
            return None
        self._held[network] += 1
        return network

    def leave(self, entered: str) -> None:
        """One connection has ended."""
        if entered:
            self._held[entered] -= 1
            if not self._held[entered]:
                del self._held[entered]

    def _trusted(self, peer: str) -> bool:
        return any(ip_address(peer) in network for network in self._proxies)

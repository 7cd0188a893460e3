"""Which ports the servers get: those of the settings, checked before use, or any free ones."""

import random
import socket
from dataclasses import dataclass, fields

import psutil

from ops.stack.failures import PortTaken
from ops.stack.settings import StackSettings

HOST = "127.0.0.1"
# Below the range from which Linux hands out client ports (32768 and up), so that nobody's outgoing
# connection sits on a port between our choice and the server's bind.
FREE_RANGE = range(20_000, 32_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One TCP port for each thing that listens, all on loopback."""

    api: int
    kafka: int
    kafka_controller: int
    registry: int
    store: int
    postgres: int
    api_metrics: int
    worker_metrics: int
    projector_metrics: int
    purge_metrics: int
    erasures_metrics: int
    housekeeping_metrics: int
    bulk_metrics: int


SETTING_OF = {
    "api": "PORT",
    "kafka": "DARKROOM_KAFKA_PORT",
    "registry": "DARKROOM_REGISTRY_PORT",
    "store": "DARKROOM_STORE_PORT",
    "postgres": "DARKROOM_POSTGRES_PORT",
    "api_metrics": "DARKROOM_API_METRICS_PORT",
    "worker_metrics": "DARKROOM_WORKER_METRICS_PORT",
    "projector_metrics": "DARKROOM_PROJECTOR_METRICS_PORT",
    "purge_metrics": "DARKROOM_PURGE_METRICS_PORT",
    "erasures_metrics": "DARKROOM_ERASURES_METRICS_PORT",
    "housekeeping_metrics": "DARKROOM_HOUSEKEEPING_METRICS_PORT",
    "bulk_metrics": "DARKROOM_BULK_METRICS_PORT",
}
SERVERS = frozenset({"kafka", "registry", "store", "postgres"})


def choose_ports(settings: StackSettings, *, needed: frozenset[str] | None = None) -> Ports:
    """Take the ports of the settings, any free one for 0.

    `needed` names those that must be free now (default: all). Raises PortTaken with a sentence, and
    when two settings name the same port.
    """
    chosen: dict[str, int] = {}
    for each in fields(Ports):
        setting = SETTING_OF.get(each.name)
        wanted = 0 if setting is None else int(getattr(settings, setting.lower()))
        if wanted in chosen.values():
            raise PortTaken(f"{setting} is {wanted}, and so is another port of ours: give each its own.")
        if wanted == 0:
            wanted = _free_port(taken=set(chosen.values()))
        elif (needed is None or each.name in needed) and not is_free(wanted):
            raise PortTaken(_sentence(each.name, wanted, str(setting)))
        chosen[each.name] = wanted
    return Ports(**chosen)


def is_free(port: int) -> bool:
    """Whether a server of ours could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port(*, taken: set[int]) -> int:
    for port in random.sample(FREE_RANGE, k=len(FREE_RANGE)):
        if port not in taken and is_free(port):
            return port
    raise PortTaken(f"No port between {FREE_RANGE.start} and {FREE_RANGE.stop} is free.")


def _sentence(name: str, port: int, setting: str) -> str:
    holder = _holder(port)
    by = f"by {holder}" if holder else "by another program, or may not be used by you"
    return (
        f"Port {port}, wanted for {name.replace('_', ' ')}, is taken {by}. "
        f"End that program, or choose another port with {setting}=NUMBER (0 for any free one)."
    )


def _holder(port: int) -> str | None:
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        local = connection.laddr
        if connection.status == psutil.CONN_LISTEN and local and local.port == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                return None
    return None

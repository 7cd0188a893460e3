"""Processor time and memory by program: whole process trees, what ended in them included."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from tests.servers import World

SERVERS = ("kafka", "postgres", "store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Wall seconds, and seconds of processor by program, between two readings."""

    seconds: float
    cpu: Mapping[str, float]


class Meter:
    """Reads what programs have used since `begin`; a program is some processes and all below them."""

    def __init__(self, roots: Mapping[str, Sequence[int]]) -> None:
        self._roots = {name: [psutil.Process(pid) for pid in pids] for name, pids in roots.items()}
        self.begin()

    def begin(self) -> None:
        """Count from here."""
        self._began = time.perf_counter()
        self._before = self._used()

    def read(self) -> Reading:
        """What was used since `begin`."""
        seconds, after = time.perf_counter() - self._began, self._used()
        return Reading(seconds=seconds, cpu={name: used - self._before[name] for name, used in after.items()})

    def memory_mib(self, name: str) -> float:
        """Memory of the whole tree now; a page that several processes share counts once (PSS)."""
        return sum(_pss(process) for root in self._roots[name] for process in _tree(root)) / 2**20

    def process_mib(self, name: str) -> list[float]:
        """Resident memory of each process of a program, its roots first."""
        return [_rss(process) / 2**20 for root in self._roots[name] for process in _tree(root)]

    def _used(self) -> dict[str, float]:
        return {
            name: sum(_cpu(process) for root in roots for process in _tree(root))
            for name, roots in self._roots.items()
        }


def server_pids(world: World) -> dict[str, tuple[int, ...]]:
    """The processes that listen at the addresses of the broker, the database and the store."""
    env = world.env
    ports = {
        "kafka": int(env["KAFKA_BOOTSTRAP_SERVERS"].split(",")[0].rpartition(":")[2]),
        "postgres": urlsplit(env["DATABASE_URL"]).port,
        "store": urlsplit(env["S3_ENDPOINT"]).port,
    }
    listening = {
        found.laddr.port: found.pid
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr and found.pid is not None
    }
    return {name: (listening[port],) for name, port in ports.items() if port in listening}


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0

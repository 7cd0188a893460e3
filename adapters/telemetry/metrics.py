"""The closed catalogue of metrics: what is not here is not measured, and docs/metrics.md lists what is."""

from functools import cached_property
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from adapters.telemetry.families import Described, Families
from adapters.telemetry.of_adapters import KeyMetrics, LogMetrics, LoopMetrics, StoreMetrics
from adapters.telemetry.of_doors import (
    CacheMetrics,
    HttpMetrics,
    LimitMetrics,
    SecurityMetrics,
    SseMetrics,
    UploadMetrics,
)
from adapters.telemetry.of_erasures import ErasureMetrics
from adapters.telemetry.of_housekeeping import HousekeepingMetrics
from adapters.telemetry.of_identity import IdentityMetrics
from adapters.telemetry.of_projector import ProjectorMetrics
from adapters.telemetry.of_worker import WorkerMetrics

__all__ = [
    "CacheMetrics",
    "ErasureMetrics",
    "HousekeepingMetrics",
    "HttpMetrics",
    "IdentityMetrics",
    "KeyMetrics",
    "LimitMetrics",
    "LogMetrics",
    "LoopMetrics",
    "Metrics",
    "ProjectorMetrics",
    "SecurityMetrics",
    "SseMetrics",
    "StoreMetrics",
    "UploadMetrics",
    "WorkerMetrics",
]

_GROUPS: Final = (
    "loops",
    "log",
    "store",
    "keys",
    "http",
    "cache",
    "limits",
    "security",
    "identity",
    "uploads",
    "sse",
    "worker",
    "projector",
    "erasures",
    "housekeeping",
)


class Metrics:
    """All metrics of one process, in a registry of its own.

    A group's families come to be when the group is first used, so that a process shows only what it does;
    programs touch their groups when they are composed.
    """

    def __init__(self) -> None:
        """With the process's own figures (memory, files, garbage) and nothing else yet."""
        self.registry = CollectorRegistry()
        self._families = Families(self.registry)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    @cached_property
    def loops(self) -> LoopMetrics:
        """Loops."""
        return LoopMetrics(self._families)

    @cached_property
    def log(self) -> LogMetrics:
        """Appends."""
        return LogMetrics(self._families)

    @cached_property
    def store(self) -> StoreMetrics:
        """The object store."""
        return StoreMetrics(self._families)

    @cached_property
    def keys(self) -> KeyMetrics:
        """People's data keys."""
        return KeyMetrics(self._families)

    @cached_property
    def http(self) -> HttpMetrics:
        """Requests."""
        return HttpMetrics(self._families)

    @cached_property
    def cache(self) -> CacheMetrics:
        """What is remembered."""
        return CacheMetrics(self._families)

    @cached_property
    def limits(self) -> LimitMetrics:
        """Rate limits."""
        return LimitMetrics(self._families)

    @cached_property
    def security(self) -> SecurityMetrics:
        """Security events."""
        return SecurityMetrics(self._families)

    @cached_property
    def identity(self) -> IdentityMetrics:
        """People and their credentials."""
        return IdentityMetrics(self._families)

    @cached_property
    def uploads(self) -> UploadMetrics:
        """Uploads."""
        return UploadMetrics(self._families)

    @cached_property
    def sse(self) -> SseMetrics:
        """Live streams."""
        return SseMetrics(self._families)

    @cached_property
    def worker(self) -> WorkerMetrics:
        """The variants worker."""
        return WorkerMetrics(self._families)

    @cached_property
    def projector(self) -> ProjectorMetrics:
        """The projector."""
        return ProjectorMetrics(self._families)

    @cached_property
    def erasures(self) -> ErasureMetrics:
        """The process that erases."""
        return ErasureMetrics(self._families)

    @cached_property
    def housekeeping(self) -> HousekeepingMetrics:
        """The process that keeps house."""
        return HousekeepingMetrics(self._families)

    def catalogue(self) -> tuple[Described, ...]:
        """Every family there is, whether this process uses it or not."""
        for group in _GROUPS:
            getattr(self, group)
        return tuple(self._families.described)

"""Quotas in memory, for tests: promises in a dict, beside what a test says is counted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from adapters.settings import QuotaSettings
from api.quota.protocol import Used, admit


def _nothing(_: UUID) -> Used:
    return Used()


@dataclass(slots=True)
class InMemoryQuotas:
    """`counted` plays the read models: what they count of an owner; `heard`, whether they know an asset."""

    bounds: QuotaSettings
    counted: Callable[[UUID], Used] = _nothing
    heard: Callable[[UUID], bool] = lambda _: False
    held: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)

    async def reserve(
        self, owner_id: UUID, asset_id: UUID, size: int, *, instead_of: UUID | None = None
    ) -> None:
        """As the Protocol says."""
        if asset_id not in self.held and not self.heard(asset_id):
            promised = [
                Used(bytes=held, files=1, uploads=1)
                for held_asset, (owner, held) in self.held.items()
                if owner == owner_id and held_asset != instead_of and not self.heard(held_asset)
            ]
            admit(sum(promised, start=self.counted(owner_id)), self.bounds, size)
            self.held[asset_id] = (owner_id, size)
        if instead_of is not None:
            self.held.pop(instead_of, None)

    async def release(self, asset_id: UUID) -> None:
        """As the Protocol says."""
        self.held.pop(asset_id, None)

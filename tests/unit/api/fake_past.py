"""The past and the ledger out of the read models in memory and the log beside them."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from projections.past import queries as past
from projections.past.queries import Begun, Moment, Spot
from projections.records import Record
from projections.storage.queries import StorageRow
from projections.usage.queries import Group, UsageFilter, UsageRow
from schemas.events import VariantsReady
from schemas.positions import Position
from tests.unit.api.fake_reads import FakeReads


@dataclass
class FakePast:
    """What `reads` has applied; `fetched` counts the records that were read again."""

    reads: FakeReads
    fetched: list[Spot] = field(default_factory=list)

    async def storage(self, owner_id: UUID | None) -> list[StorageRow]:
        states = self.reads.states.values()
        return past.storage(state for state in states if owner_id in {None, state.owner_id})

    async def usage(self, wanted: UsageFilter, *, by: AbstractSet[Group], limit: int) -> list[UsageRow]:
        lines: dict[tuple[object, ...], UsageRow] = {}
        for event in self.reads.log.events():
            if not isinstance(event, VariantsReady) or wanted.owner_id not in {None, event.owner_id}:
                continue
            if wanted.asset_id not in {None, event.asset_id}:
                continue
            owner = event.owner_id if "owner" in by else None
            asset = event.asset_id if "asset" in by else None
            preset = event.preset_set if "preset_set" in by else None
            day = event.occurred_at.date() if "day" in by else None
            known = lines.get((owner, asset, preset, day))
            lines[owner, asset, preset, day] = UsageRow(
                owner_id=owner,
                asset_id=asset,
                preset_set=preset,
                day=day,
                jobs=1 + (known.jobs if known else 0),
                cpu_ms=event.cost.cpu_ms + (known.cpu_ms if known else 0),
                wall_ms=event.cost.wall_ms + (known.wall_ms if known else 0),
                bytes_read=event.cost.bytes_read + (known.bytes_read if known else 0),
                bytes_written=event.cost.bytes_written + (known.bytes_written if known else 0),
            )
        return sorted(lines.values(), key=lambda line: -line.cpu_ms)[:limit]

    async def logged_at(self, position: Position) -> datetime | None:
        place = (position.partition, position.offset)
        times = [row.log_time for row in self.reads.feed if (row.partition, row.offset) == place]
        return times[0] if times else None

    async def beginning(self) -> datetime | None:
        return min((row.log_time for row in self.reads.feed), default=None)

    async def begun(self, owner_id: UUID, moment: Moment, before: Begun | None, limit: int) -> list[Begun]:
        found = [
            Begun(row.asset_id, row.log_time, row.partition, row.offset)
            for row in self.reads.feed
            if row.owner_id == owner_id and row.event_type == "UploadRequested" and row.accepted
            if _by_then(row.partition, row.offset, row.log_time, moment)
        ]
        found.sort(key=lambda one: one[1:], reverse=True)
        return [one for one in found if before is None or one[1:] < before[1:]][:limit]

    async def spots(
        self, owner_id: UUID | None, asset_ids: Sequence[UUID] | None, moment: Moment, limit: int
    ) -> list[Spot]:
        found = [
            Spot(row.asset_id, row.partition, row.offset)
            for row in self.reads.feed
            if row.accepted and owner_id in {None, row.owner_id}
            if asset_ids is None or row.asset_id in asset_ids
            if _by_then(row.partition, row.offset, row.log_time, moment)
        ]
        return sorted(found, key=lambda spot: spot[1:])[:limit]

    async def records(self, spots: Sequence[Spot]) -> list[Record]:
        topic = self.reads.log.topics.assets
        there = {(one.partition, one.offset): one for one in self.reads.log.records if one.topic == topic}
        self.fetched += spots
        return [
            Record(spot.partition, spot.offset, one.timestamp_ms, one.key, one.value, tuple)
            for spot in spots
            for one in [there[spot.partition, spot.offset]]
        ]


def _by_then(partition: int, offset: int, log_time: datetime, moment: Moment) -> bool:
    if log_time > moment.log_time:
        return False
    return moment.partition != partition or moment.offset is None or offset <= moment.offset

"""Rounds of the pipeline: the same pictures through the whole arrow, and through the bare loop beside it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from psycopg import AsyncConnection

from adapters.object_store import S3ObjectStore
from schemas.events import UploadCompleted, UploadRequested
from schemas.presets import DEFAULT_PRESETS, preset_set_hash
from tests.bench.ground import Pen, metadata
from tests.bench.meters import Meter, Reading
from tests.bench.partners import Partner

_LONGEST_SECONDS = 600.0
_TOGETHER = 4
# Looking is work for the database too.
_LOOK_SECONDS = 0.05
_TYPES = {".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".avif": "image/avif"}
_STATUSES = "select status, count(*) from live.assets where asset_id = any(%s) group by status"


class NotReady(Exception):
    """Pictures came out otherwise than ready, or not in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A picture in the store whose variants are not asked for yet."""

    asset_id: UUID
    key: str
    size: int
    content_type: str


async def put_originals(store: S3ObjectStore, found: Sequence[Path], count: int) -> list[Original]:
    """So many originals, the pictures over and over, each an asset of its own."""
    originals = []
    for path in islice(cycle(found), count):
        data = await asyncio.to_thread(path.read_bytes)
        asset_id = uuid4()
        original = Original(
            asset_id=asset_id,
            key=f"assets/{asset_id}/original/{uuid4().hex}",
            size=len(data),
            content_type=_TYPES.get(path.suffix.lower(), "image/jpeg"),
        )
        await store.put(original.key, data, content_type=original.content_type)
        originals.append(original)
    return originals


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """The running product as far as this benchmark uses it: a pen, the rows, and whom to measure."""

    pen: Pen
    rows: AsyncConnection[tuple[str, int]]
    owner_id: UUID
    roots: Mapping[str, Sequence[int]]

    async def round(self, originals: Sequence[Original]) -> Reading:
        """From the first completed upload in the log to the last picture that is ready in the rows."""
        key_id = await self.pen.keys.data_key(self.owner_id)
        uploads = {original.asset_id: uuid4() for original in originals}
        await self._append(*(_requested(one, self.owner_id, uploads[one.asset_id]) for one in originals))
        meter = Meter(self.roots)
        await self._append(
            *(_completed(one, self.owner_id, uploads[one.asset_id], key_id) for one in originals)
        )
        await self._ready([original.asset_id for original in originals])
        return meter.read()

    async def warm(self, records: int) -> None:
        """Append so many records, a few at a time: a broker in Java gets faster for thousands of requests."""
        for _ in range(0, records, _TOGETHER):
            await self._append(*(_requested(_nothing(), self.owner_id, uuid4()) for _ in range(_TOGETHER)))

    async def _append(self, *events: UploadRequested | UploadCompleted) -> None:
        await asyncio.gather(*(self.pen.log.append(event, metadata(event.asset_id)) for event in events))

    async def _ready(self, asset_ids: Sequence[UUID]) -> None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while True:
            statuses = dict(await (await self.rows.execute(_STATUSES, (list(asset_ids),))).fetchall())
            if statuses == {"ready": len(asset_ids)}:
                return
            if "failed" in statuses or time.monotonic() > deadline:
                raise NotReady(f"of {len(asset_ids)} pictures: {statuses}")
            await asyncio.sleep(_LOOK_SECONDS)


def _nothing() -> Original:
    """An asset that stays requested."""
    return Original(asset_id=uuid4(), key="none", size=0, content_type="image/jpeg")


async def rows_of(url: str) -> AsyncConnection[tuple[str, int]]:
    """A connection to look at the rows with."""
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


def bare_round(
    bare: Sequence[Partner], originals: Sequence[Original], servers: Mapping[str, Sequence[int]]
) -> Reading:
    """All variants of all originals by the bare loop, dealt out evenly to its processes."""
    meter = Meter({"bare": [partner.pid for partner in bare], **servers})
    for number, partner in enumerate(bare):
        partner.tell([original.key for original in originals[number :: len(bare)]])
    for partner in bare:
        partner.answer()
    return meter.read()


def _requested(original: Original, owner_id: UUID, upload_id: UUID) -> UploadRequested:
    now = datetime.now(UTC)
    return UploadRequested(
        event_id=uuid4(),
        occurred_at=now,
        asset_id=original.asset_id,
        owner_id=owner_id,
        actor_id=owner_id,
        upload_id=upload_id,
        method="form",
        object_key=f"incoming/{upload_id}/bench",
        content_type=original.content_type,
        expires_at=now + timedelta(minutes=15),
    )


def _completed(original: Original, owner_id: UUID, upload_id: UUID, data_key_id: UUID) -> UploadCompleted:
    return UploadCompleted(
        event_id=uuid4(),
        occurred_at=datetime.now(UTC),
        asset_id=original.asset_id,
        owner_id=owner_id,
        actor_id=owner_id,
        upload_id=upload_id,
        job_id=uuid4(),
        object_key=original.key,
        size=original.size,
        content_type=original.content_type,
        data_key_id=data_key_id,
        preset_set=preset_set_hash(DEFAULT_PRESETS),
        lane="live",
    )

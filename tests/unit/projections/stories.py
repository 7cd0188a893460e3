"""Stories of assets for tests of the read models: events as the doors and the workers would say them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from adapters.sealing import seal_json
from adapters.subject_keys import InMemorySubjectKeys, SubjectKeys
from projections.records import Record
from schemas.codec import Codec
from schemas.envelope import Metadata, headers_for, key_of
from schemas.events import (
    AssetEvent,
    AssetPurged,
    Cost,
    Encoder,
    IdentityEvent,
    OperationsEvent,
    ProcessingFailed,
    ProcessingStarted,
    Source,
    UploadCompleted,
    UploadRequested,
    Variant,
    VariantsReady,
)
from schemas.partitioner import partition_for

BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)
PRESETS = "f" * 64
_SPACE = UUID(int=0)


def an_id(*parts: object) -> UUID:
    """The same id for the same parts, so that a failing test names the same asset again."""
    return uuid5(_SPACE, "/".join(map(str, parts)))


class Stories:
    """Writes what happens to assets; all that is sealed opens with `keys`."""

    def __init__(self, name: str = "", keys: SubjectKeys | None = None) -> None:
        self.name = name
        self.keys = keys or InMemorySubjectKeys()
        self._key_ids: dict[UUID, UUID] = {}

    async def owner(self, name: str) -> UUID:
        """An owner with a data key."""
        owner_id = an_id(self.name, "owner", name)
        await self.known(owner_id)
        return owner_id

    async def known(self, owner_id: UUID) -> None:
        """From here on stories can be told of this owner, who may have a data key already."""
        self._key_ids[owner_id] = await self.keys.data_key(owner_id)

    def key_id(self, owner_id: UUID) -> UUID:
        return self._key_ids[owner_id]

    def asset_id(self, asset: object) -> UUID:
        return an_id(self.name, "asset", asset)

    def job_id(self, asset: object) -> UUID:
        return an_id(self.name, "job", asset)

    def requested(self, asset: object, owner_id: UUID, at: int = 0) -> UploadRequested:
        words: dict[str, object] = {
            "file_name": f"{asset}.jpg",
            "title": f"Title {asset}",
            "description": None,
            "tags": ["a", "ä"],
        }
        return UploadRequested(
            event_id=an_id(self.name, "requested", asset),
            occurred_at=BEGIN + timedelta(seconds=at),
            asset_id=self.asset_id(asset),
            owner_id=owner_id,
            actor_id=owner_id,
            request_hash=b"\x01" * 48,
            upload_id=an_id(self.name, "upload", asset),
            method="form",
            object_key=f"incoming/{an_id(self.name, 'upload', asset)}/x",
            content_type="image/jpeg",
            declared_size=1000,
            sealed_words=self.sealed(owner_id, "sealed_words", words),
            expires_at=BEGIN + timedelta(minutes=15),
        )

    def completed(self, asset: object, owner_id: UUID, at: int = 1) -> UploadCompleted:
        return UploadCompleted(
            event_id=an_id(self.name, "completed", asset),
            occurred_at=BEGIN + timedelta(seconds=at),
            asset_id=self.asset_id(asset),
            owner_id=owner_id,
            actor_id=owner_id,
            upload_id=an_id(self.name, "upload", asset),
            job_id=self.job_id(asset),
            object_key=self.original(asset),
            size=1000,
            content_type="image/jpeg",
            data_key_id=self.key_id(owner_id),
            preset_set=PRESETS,
            lane="live",
        )

    def started(self, asset: object, owner_id: UUID, attempt: int = 1, at: int = 2) -> ProcessingStarted:
        return ProcessingStarted(
            event_id=an_id(self.name, "started", asset, attempt),
            occurred_at=BEGIN + timedelta(seconds=at),
            asset_id=self.asset_id(asset),
            owner_id=owner_id,
            job_id=self.job_id(asset),
            attempt=attempt,
            worker="variants-0",
            lane="live",
        )

    def failed(
        self, asset: object, owner_id: UUID, attempt: int = 1, at: int = 3, *, again: bool = False
    ) -> ProcessingFailed:
        return ProcessingFailed(
            event_id=an_id(self.name, "failed", asset, attempt),
            occurred_at=BEGIN + timedelta(seconds=at),
            asset_id=self.asset_id(asset),
            owner_id=owner_id,
            job_id=self.job_id(asset),
            attempt=attempt,
            kind="internal" if again else "refused",
            code="unexpected" if again else "truncated",
            retryable=again,
            will_retry=again,
        )

    def ready(self, asset: object, owner_id: UUID, attempt: int = 1, at: int = 4) -> VariantsReady:
        facts: dict[str, object] = {
            "thumbhash": "3OcRJYB4d3h/iIeHeEh3eIhw+j2w",
            "taken_at": "2024-02-29T08:00:00",
            "camera": "C",
            "sha256": "",
        }
        return VariantsReady(
            event_id=an_id(self.name, "ready", asset),
            occurred_at=BEGIN + timedelta(seconds=at),
            asset_id=self.asset_id(asset),
            owner_id=owner_id,
            job_id=self.job_id(asset),
            attempt=attempt,
            source=_source(self.original(asset)),
            variants=tuple(self._variant(asset, name) for name in ("large", "medium", "small", "thumbnail")),
            manifest_key=f"assets/{self.asset_id(asset)}/variants/m.json",
            sealed_facts=self.sealed(owner_id, "sealed_facts", facts),
            preset_set=PRESETS,
            encoder=Encoder(pillow="13.0.0", codecs="jpeg 3.1", resizer="4.0", simd="avx2"),
            cost=Cost(cpu_ms=90, wall_ms=100, peak_rss_kib=65536, bytes_read=1000, bytes_written=900),
        )

    def purged(self, asset: object, owner_id: UUID, at: int = 5) -> AssetPurged:
        return AssetPurged(
            event_id=an_id(self.name, "purged", asset),
            occurred_at=BEGIN + timedelta(seconds=at),
            asset_id=self.asset_id(asset),
            owner_id=owner_id,
            actor_id=owner_id,
            code="erased",
            incoming_key=f"incoming/{an_id(self.name, 'upload', asset)}/x",
        )

    def whole(self, asset: object, owner_id: UUID) -> list[AssetEvent]:
        """From the request to the variants, by the shortest way."""
        return [
            self.requested(asset, owner_id),
            self.completed(asset, owner_id),
            self.started(asset, owner_id),
            self.ready(asset, owner_id),
        ]

    def original(self, asset: object) -> str:
        return f"assets/{self.asset_id(asset)}/original/{an_id(self.name, 'nonce', asset).hex}"

    def _variant(self, asset: object, name: str) -> Variant:
        key = f"assets/{self.asset_id(asset)}/variants/n/{PRESETS[:12]}-0badcafe/{name}.jpg"
        return Variant(name=name, object_key=key, content_type="image/jpeg", width=4, height=3, size=225)

    def sealed(self, owner_id: UUID, field: str, value: dict[str, object]) -> bytes:
        return seal_json(self.keys, user_id=owner_id, key_id=self.key_id(owner_id), field=field, value=value)


def _source(object_key: str) -> Source:
    return Source(
        object_key=object_key,
        size=1000,
        format="jpeg",
        width=4000,
        height=3000,
        orientation=6,
        frames=1,
        animated=False,
        has_alpha=False,
    )


class PlainLog:
    """A log in memory: partitions of records, as the broker would hand them out."""

    def __init__(self, partitions: int) -> None:
        self.partitions: list[list[Record]] = [[] for _ in range(partitions)]
        self._codec = Codec.local()

    def append(self, *events: AssetEvent | IdentityEvent | OperationsEvent) -> None:
        """Appends as our producers do."""
        for event in events:
            metadata = Metadata(correlation_id=an_id(key_of(event).decode()), source="/test")
            headers = headers_for(event, metadata)
            self.put(key_of(event), self._codec.encode(event), headers)

    def put(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> Record:
        """Appends bytes as they are, where murmur2 puts them or where told."""
        number = partition_for(key or b"", len(self.partitions)) if partition is None else partition
        offset = len(self.partitions[number])
        log_ms = 1_777_600_000_000 + offset * 10
        record = Record(number, offset, log_ms, key, value, lambda: list(headers))
        self.partitions[number].append(record)
        return record

    def records(self) -> Iterable[Record]:
        return (record for partition in self.partitions for record in partition)

    def repeat(self, record: Record) -> Record:
        """Appends a record once more, as it was."""
        return self.put(record.key, record.value, record.headers(), record.partition)


def another(event: UploadRequested) -> UploadRequested:
    """The same request under another event id."""
    return replace(event, event_id=an_id(event.event_id, "another"))

"""Two ways to have a picture processed: straight to the log and the store, or over HTTP as an owner does."""

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol
from uuid import UUID, uuid4

import httpx

from adapters.event_log import KafkaEventLog, LogUnavailable, OutcomeUnknown
from adapters.object_store import S3ObjectStore, StoreRefused, StoreUnavailable
from adapters.schema_registry import load_codec
from adapters.sealing import seal_json
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Metrics
from schemas.envelope import Metadata
from schemas.events import UploadCompleted, UploadRequested
from schemas.positions import Position
from schemas.presets import DEFAULT_PRESETS, preset_set_hash
from tests.rig.history import Acknowledged, Attempt

OWNER = UUID(int=0xADA)
_JPEG = "image/jpeg"


class NotNow(Exception):
    """The upload was not acknowledged; the same attempt may be made again."""


class Door(Protocol):
    """Where pictures are brought to."""

    def attempt(self) -> Attempt:
        """A new attempt, not yet made."""
        ...

    async def make(self, attempt: Attempt, picture: bytes) -> Acknowledged:
        """Makes it, as often as needed; raises NotNow where it was not acknowledged."""
        ...

    async def close(self) -> None:
        """Lets go of everything."""
        ...


class LogDoor:
    """Stores originals and appends UploadRequested and UploadCompleted itself. Belongs to one event loop."""

    def __init__(self, settings: Settings, *, owner: UUID = OWNER) -> None:
        self._owner = owner
        metrics = Metrics()
        codec = load_codec(settings)
        self._log = KafkaEventLog(settings.kafka, codec, metrics=metrics.log)
        self._store = S3ObjectStore(settings.store, metrics=metrics.store)
        self._keys = KafkaSubjectKeys(settings, codec, self._log, component="api")
        self._keys.start()
        self._key_id: UUID | None = None
        self._made: dict[str, tuple[UploadRequested, UploadCompleted]] = {}

    def attempt(self) -> Attempt:
        """As the Protocol says; the event ids are those of the request and of the completion."""
        asset_id = uuid4()
        return Attempt(
            name=str(asset_id),
            asset_id=asset_id,
            event_ids=(uuid4(), uuid4()),
            object_keys=(f"assets/{asset_id}/original/{asset_id.hex}",),
        )

    async def make(self, attempt: Attempt, picture: bytes) -> Acknowledged:
        """As the Protocol says."""
        assert attempt.asset_id is not None
        try:
            if attempt.name not in self._made:
                self._made[attempt.name] = await self._events(attempt, picture)
            await self._store.put(attempt.object_keys[0], picture, content_type=_JPEG)
            positions = [await self._append(event) for event in self._made[attempt.name]]
            del self._made[attempt.name]
        except (LogUnavailable, OutcomeUnknown, StoreUnavailable, StoreRefused) as error:
            raise NotNow(type(error).__name__) from error
        return Acknowledged(
            name=attempt.name,
            asset_id=attempt.asset_id,
            event_ids=attempt.event_ids,
            positions=tuple(positions),
        )

    async def close(self) -> None:
        """As the Protocol says."""
        self._keys.close()
        await self._store.close()
        await self._log.close()

    async def _append(self, event: UploadRequested | UploadCompleted) -> Position:
        return await self._log.append(event, Metadata(correlation_id=event.asset_id, source="/tests"))

    async def _events(self, attempt: Attempt, picture: bytes) -> tuple[UploadRequested, UploadCompleted]:
        assert attempt.asset_id is not None
        if self._key_id is None:
            assert await asyncio.to_thread(self._keys.wait_until_current, 20)
            self._key_id = await self._keys.data_key(self._owner)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        requested = UploadRequested(
            event_id=attempt.event_ids[0],
            occurred_at=now,
            asset_id=attempt.asset_id,
            owner_id=self._owner,
            actor_id=self._owner,
            upload_id=attempt.event_ids[0],
            method="form",
            object_key=f"incoming/{attempt.asset_id}",
            content_type=_JPEG,
            declared_size=len(picture),
            expires_at=now + timedelta(days=1),
        )
        completed = UploadCompleted(
            event_id=attempt.event_ids[1],
            occurred_at=now,
            asset_id=attempt.asset_id,
            owner_id=self._owner,
            actor_id=self._owner,
            upload_id=requested.upload_id,
            job_id=attempt.event_ids[1],
            object_key=attempt.object_keys[0],
            size=len(picture),
            content_type=_JPEG,
            sealed_digests=self._digests(picture),
            data_key_id=self._key_id,
            preset_set=preset_set_hash(DEFAULT_PRESETS),
            lane="live",
        )
        return requested, completed

    def _digests(self, picture: bytes) -> bytes:
        assert self._key_id is not None
        return seal_json(
            self._keys,
            user_id=self._owner,
            key_id=self._key_id,
            field="sealed_digests",
            value={"etag": "unknown", "sha256": sha256(picture).hexdigest()},
        )


class HttpDoor:
    """Uploads by form with an Idempotency-Key each, so that an attempt made again is the same upload."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=httpx.Timeout(15.0)
        )

    def attempt(self) -> Attempt:
        """As the Protocol says; only the doors know the ids."""
        return Attempt(name=uuid4().hex)

    async def make(self, attempt: Attempt, picture: bytes) -> Acknowledged:
        """As the Protocol says."""
        try:
            answer = await self._http.post(
                "/v1/uploads?duplicate=allow",
                files={"file": ("photo.jpg", picture, _JPEG)},
                headers={"Idempotency-Key": attempt.name},
            )
        except httpx.TransportError as error:
            raise NotNow(type(error).__name__) from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise NotNow(str(answer.status_code))
        assert answer.status_code == 202, answer.text
        return Acknowledged(
            name=attempt.name,
            asset_id=UUID(answer.json()["asset_id"]),
            positions=(Position.from_token(answer.headers["Darkroom-Position"]),),
        )

    async def close(self) -> None:
        """As the Protocol says."""
        await self._http.aclose()

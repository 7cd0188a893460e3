"""People by hand, as the doors would make them: registered, with assets, and then to be forgotten."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from adapters.event_log import KafkaEventLog
from adapters.object_store import S3ObjectStore
from adapters.schema_registry import load_codec
from adapters.sealing import seal_json, seal_text
from adapters.settings import Settings
from adapters.subject_keys import KafkaSubjectKeys
from adapters.telemetry import Metrics
from schemas.envelope import Metadata
from schemas.events import Event, SubjectErased, UploadCompleted, UploadRequested, UserRegistered
from schemas.identity import user_id_of
from schemas.presets import DEFAULT_PRESETS, preset_set_hash

CANARY = "canary-of-a-person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account; `lost` is a user whose registration of the same address came too late."""

    account_key: str
    user_id: UUID
    lost: UUID


class People:
    """Appends what people do. Belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        metrics = Metrics()
        self.settings = settings
        self.codec = load_codec(settings)
        self.log = KafkaEventLog(settings.kafka, self.codec, metrics=metrics.log)
        self.store = S3ObjectStore(settings.store, metrics=metrics.store)
        self.keys = KafkaSubjectKeys(settings, self.codec, self.log, component="api")
        self.keys.start()

    async def close(self) -> None:
        self.keys.close()
        await self.store.close()
        await self.log.close()

    async def person(self, name: str) -> Person:
        """Registers somebody, twice at once, so that one registration loses."""
        account_key = hashlib.sha256(f"{name}{secrets.token_hex(4)}".encode()).hexdigest()
        won = await self._register(account_key, name)
        lost = await self._register(account_key, name)
        return Person(account_key=account_key, user_id=won, lost=lost)

    async def _register(self, account_key: str, name: str) -> UUID:
        event_id = uuid4()
        user_id = user_id_of(event_id)
        key_id = await self.keys.data_key(user_id)

        def sealed(field: str, text: str) -> bytes:
            return seal_text(self.keys, user_id=user_id, key_id=key_id, field=field, text=text)

        await self.append(
            UserRegistered(
                event_id=event_id,
                occurred_at=datetime.now(UTC),
                account_key=account_key,
                user_id=user_id,
                actor_id=user_id,
                role="user",
                sealed_address=sealed("sealed_address", f"{name}.{CANARY}@example.org"),
                sealed_password_hash=sealed("sealed_password_hash", "$argon2id$"),
                data_key_id=key_id,
            )
        )
        return user_id

    async def asset(self, owner: UUID) -> UUID:
        """An upload with words, its original, a variant and what was left in `incoming/`."""
        asset_id, upload_id, now = uuid4(), uuid4(), datetime.now(UTC)
        incoming, original = f"incoming/{upload_id}/x", f"assets/{asset_id}/original/n"
        for key in (incoming, original, f"assets/{asset_id}/variants/n/s/large.jpg"):
            await self.store.put(key, CANARY.encode(), content_type="image/jpeg")
        key_id = await self.keys.data_key(owner)
        about: dict[str, Any] = {"asset_id": asset_id, "owner_id": owner, "actor_id": owner}
        words: dict[str, object] = {"file_name": f"{CANARY}.jpg", "title": CANARY, "tags": []}
        await self.append(
            UploadRequested(
                event_id=uuid4(),
                occurred_at=now,
                **about,
                upload_id=upload_id,
                method="direct",
                object_key=incoming,
                content_type="image/jpeg",
                declared_size=len(CANARY),
                sealed_words=seal_json(
                    self.keys, user_id=owner, key_id=key_id, field="sealed_words", value=words
                ),
                expires_at=now + timedelta(minutes=15),
            )
        )
        await self.append(
            UploadCompleted(
                event_id=uuid4(),
                occurred_at=now,
                **about,
                upload_id=upload_id,
                job_id=uuid4(),
                object_key=original,
                size=len(CANARY),
                content_type="image/jpeg",
                data_key_id=key_id,
                preset_set=preset_set_hash(DEFAULT_PRESETS),
                lane="live",
            )
        )
        return asset_id

    async def erase(self, person: Person) -> UUID:
        """Asks for the erasure; returns its id."""
        event = SubjectErased(
            event_id=uuid4(),
            occurred_at=datetime.now(UTC),
            account_key=person.account_key,
            user_id=person.user_id,
            actor_id=person.user_id,
            expected_version=1,
        )
        await self.append(event)
        return event.event_id

    async def append(self, event: Event) -> None:
        await self.log.append(event, Metadata(correlation_id=uuid4(), source="/tests"))

    async def objects(self, prefix: str) -> list[str]:
        return [info.key async for info in self.store.list(prefix)]

    def execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.settings.postgres.url.get_secret_value()) as conn:
            conn.execute(statement.encode(), values)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings.postgres.url.get_secret_value()) as conn:
            return conn.execute(query.encode(), values).fetchall()

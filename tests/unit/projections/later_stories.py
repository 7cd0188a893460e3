"""What becomes of an asset once it is ready: a story that meets every later event, short to tell."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from schemas.events import (
    AssetDeleted,
    AssetEvent,
    AssetRestored,
    AssetUpdated,
    JobDeleted,
    LinkIssued,
    LinkRevoked,
    RecordDiscarded,
    UploadExpired,
    VariantsReady,
    VariantsRequested,
    VariantsRetired,
)
from tests.unit.projections.stories import BEGIN, Stories, an_id

OTHER_PRESETS = "e" * 64


class Later:
    """The later events of one asset whose `Stories.whole` is told; versions follow from there."""

    def __init__(self, stories: Stories, asset: object, owner_id: UUID) -> None:
        self._stories = stories
        self._asset = asset
        self._owner_id = owner_id

    def whole(self) -> Iterator[AssetEvent]:
        """Each is accepted where it stands, but the last two."""
        yield self.updated(2)
        yield self.asked_again(1, version=3)
        yield replace(self._stories.started(self._asset, self._owner_id, at=20), job_id=self.job_id(1))
        yield self.ready_again(1)
        yield self.issued(4)
        yield self.deleted(5)
        yield self.restored(6)
        yield self.revoked(7)
        yield self.asked_again(2, version=None, actor_id=None, run_id=an_id("run"))
        yield self.job_deleted(2, version=8)
        yield self.retired()
        yield self.discarded()
        yield self.expired()

    def job_id(self, number: int) -> UUID:
        return an_id(self._stories.name, "job", self._asset, number)

    def link_id(self) -> UUID:
        return an_id(self._stories.name, "link", self._asset)

    def updated(self, version: int, at: int = 10, title: str = "Another") -> AssetUpdated:
        words: dict[str, object] = {"file_name": "a.jpg", "title": title, "tags": ["new"]}
        sealed = self._stories.sealed(self._owner_id, "sealed_words", words)
        common = self._person("updated", at, version)
        return AssetUpdated(**common, sealed_words=sealed, changed=("title", "tags"))

    def asked_again(
        self, number: int, *, version: int | None, at: int = 12, **others: Any
    ) -> VariantsRequested:
        common = self._person(f"asked-{number}", at, version)
        about = {"lane": "bulk", "reason": "presets", "preset_set": OTHER_PRESETS, "size": 1000}
        return VariantsRequested(
            **{**common, **about, **others},
            job_id=self.job_id(number),
            object_key=self._stories.original(self._asset),
            data_key_id=self._stories.key_id(self._owner_id),
        )

    def ready_again(self, number: int, at: int = 22) -> VariantsReady:
        first = self._stories.ready(self._asset, self._owner_id, at=at)
        return replace(
            first,
            event_id=an_id(self._stories.name, "ready", self._asset, number),
            job_id=self.job_id(number),
            preset_set=OTHER_PRESETS,
            manifest_key=f"{first.manifest_key}-{number}",
            variants=first.variants[:2],
        )

    def issued(self, version: int, at: int = 24) -> LinkIssued:
        until = BEGIN + timedelta(days=7)
        common = self._person("issued", at, version)
        return LinkIssued(**common, link_id=self.link_id(), variant="small", expires_at=until)

    def revoked(self, version: int, at: int = 30) -> LinkRevoked:
        return LinkRevoked(**self._person("revoked", at, version), link_id=self.link_id())

    def deleted(self, version: int, at: int = 26, code: str = "user") -> AssetDeleted:
        return AssetDeleted(**self._person(f"deleted-{version}", at, version), code=code)

    def restored(self, version: int, at: int = 28) -> AssetRestored:
        return AssetRestored(**self._person("restored", at, version), code="user")

    def job_deleted(self, number: int, *, version: int, at: int = 32) -> JobDeleted:
        return JobDeleted(**self._person("job-deleted", at, version), job_id=self.job_id(number))

    def retired(self, at: int = 34) -> VariantsRetired:
        first = self._stories.ready(self._asset, self._owner_id)
        return VariantsRetired(
            **self._common("retired", at),
            job_id=first.job_id,
            preset_set=first.preset_set,
            manifest_key=first.manifest_key,
        )

    def discarded(self, at: int = 36) -> RecordDiscarded:
        place = {"topic": "darkroom.assets.v1", "partition": 1, "offset": 0, "component": "projector"}
        return RecordDiscarded(**{**self._common("discarded", at), **place})

    def expired(self, at: int = 38, code: str = "expired") -> UploadExpired:
        upload_id = an_id(self._stories.name, "upload", self._asset)
        return UploadExpired(**self._common(f"expired-{code}", at), upload_id=upload_id, code=code)

    def _person(self, what: str, at: int, version: int | None) -> dict[str, Any]:
        return {**self._common(what, at), "actor_id": self._owner_id, "expected_version": version}

    def _common(self, what: str, at: int) -> dict[str, Any]:
        return {
            "event_id": an_id(self._stories.name, what, self._asset),
            "occurred_at": BEGIN + timedelta(seconds=at),
            "asset_id": self._stories.asset_id(self._asset),
            "owner_id": self._owner_id,
        }

"""Makes the addresses under which objects can be fetched: signed and stable for a while, or on a CDN."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from urllib.parse import quote

from adapters.cdn import CdnSigner


class SignsGet(Protocol):
    """The part of an object store that signs downloads."""

    def presign_get(
        self,
        key: str,
        *,
        expires_at: datetime,
        signed_at: datetime,
        file_name: str | None = None,
        attachment: bool = False,
        content_type: str | None = None,
    ) -> str:
        """An address that anybody can download the object from until `expires_at`."""
        ...


# What is handed to strangers must not outlive the leave to see it by much.
BRIEF: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Addresses that stay the same inside a window of time, so that browsers may keep what they fetched.

    Each is signed as of its window's beginning and holds until the end of the next one. On a CDN that does
    not ask for signatures they are permanent; nobody can guess one, since keys hold 128 random bits.
    """

    store: SignsGet
    window: timedelta
    cdn_url: str | None = None
    cdn_signer: CdnSigner | None = None

    @property
    def brief(self) -> "Addresses":
        """The same for strangers: good for two minutes at most, hence never unsigned."""
        cdn_url = self.cdn_url if self.cdn_signer is not None else None
        return replace(self, window=min(self.window, BRIEF), cdn_url=cdn_url)

    def number(self, now: datetime) -> int:
        """Which window `now` lies in; addresses change with it, and so do ETags of answers that hold them."""
        return int(now.timestamp() // self.window.total_seconds())

    def view(self, key: str, *, now: datetime, content_type: str) -> str:
        """Where a browser shows the object."""
        if self.cdn_url:
            return self._on_cdn(f"{self.cdn_url}/{quote(key)}", now)
        return self._in_store(key, now, content_type, file_name=None, save=False)

    def save(self, key: str, *, now: datetime, content_type: str, file_name: str | None) -> str:
        """Where a browser stores the object under this name: the store's own address, CDN or not.

        It alone promises to answer with an attachment of this name.
        """
        return self._in_store(key, now, content_type, file_name=file_name, save=True)

    def _on_cdn(self, url: str, now: datetime) -> str:
        return self.cdn_signer.signed(url, self._begun(now) + 2 * self.window) if self.cdn_signer else url

    def _in_store(
        self, key: str, now: datetime, content_type: str, *, file_name: str | None, save: bool
    ) -> str:
        begun = self._begun(now)
        return self.store.presign_get(
            key,
            signed_at=begun,
            expires_at=begun + 2 * self.window,
            file_name=file_name,
            attachment=save,
            content_type=content_type,
        )

    def _begun(self, now: datetime) -> datetime:
        return datetime.fromtimestamp(self.number(now) * self.window.total_seconds(), UTC)

"""Makes the addresses under which objects can be fetched: signed and stable for a while, or on a CDN."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Addresses that stay the same inside a window of time, so that browsers may keep what they fetched.

    Each is signed as of its window's beginning and holds until the end of the next one. With a CDN they are
    unsigned and permanent.
    """

    store: SignsGet
    window: timedelta
    cdn_url: str | None = None

    def number(self, now: datetime) -> int:
        """Which window `now` lies in; addresses change with it, and so do ETags of answers that hold them."""
        return 0 if self.cdn_url else int(now.timestamp() // self.window.total_seconds())

    def view(self, key: str, *, now: datetime, content_type: str) -> str:
        """Where a browser shows the object."""
        return self._address(key, now, content_type, file_name=None, save=False)

    def save(self, key: str, *, now: datetime, content_type: str, file_name: str | None) -> str:
        """Where a browser stores the object under this name (on a CDN: under the key's own)."""
        return self._address(key, now, content_type, file_name=file_name, save=True)

    def _address(
        self, key: str, now: datetime, content_type: str, *, file_name: str | None, save: bool
    ) -> str:
        if self.cdn_url:
            return f"{self.cdn_url}/{quote(key)}"
        begun = datetime.fromtimestamp(self.number(now) * self.window.total_seconds(), UTC)
        return self.store.presign_get(
            key,
            signed_at=begun,
            expires_at=begun + 2 * self.window,
            file_name=file_name,
            attachment=save,
            content_type=content_type,
        )

"""Signs addresses and upload forms for S3 (AWS Signature Version 4), at a time that the caller gives.

A library signs at the time of the call: two answers a second apart would hold two addresses for one picture,
and no browser would keep it. The forms are Amazon's "Authenticating Requests", by query and by POST policy.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

from adapters.object_store.protocol import PresignedPost

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_LONGEST_SECONDS: Final = 7 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs, for which bucket, and under which address its readers see it."""

    endpoint: str
    bucket: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)

    def get(
        self, key: str, *, signed_at: datetime, expires_at: datetime, overrides: Mapping[str, str]
    ) -> str:
        """An address to GET the object from between the two times (seconds count; a week at most).

        `overrides` are `response-…` parameters, by which the store changes headers of its answer.
        """
        seconds = min(_LONGEST_SECONDS, int((expires_at - signed_at).total_seconds()))
        if seconds < 1:
            raise ValueError("an address must be valid for a second at least")
        stamp = _stamp(signed_at)
        base, root, query = _frame(self, stamp, seconds, tuple(overrides.items()))
        path = f"{root}{quote(key, safe='/~')}"
        request = f"GET\n{path}\n{query}\nhost:{_host(self.endpoint)}\n\nhost\nUNSIGNED-PAYLOAD"
        return f"{base}{path}?{query}&X-Amz-Signature={self._signed(stamp, request)}"

    def put(
        self, key: str, *, signed_at: datetime, expires_at: datetime, size: int, parameters: Mapping[str, str]
    ) -> str:
        """An address to PUT exactly `size` bytes to, between the two times; `parameters` say as what."""
        seconds = max(1, min(_LONGEST_SECONDS, int((expires_at - signed_at).total_seconds())))
        stamp = _stamp(signed_at)
        base, root, query = _query(self, stamp, seconds, parameters, signed="content-length;host")
        path = f"{root}{quote(key, safe='/~')}"
        headers = f"content-length:{size}\nhost:{_host(self.endpoint)}\n\ncontent-length;host"
        signature = self._signed(stamp, f"PUT\n{path}\n{query}\n{headers}\nUNSIGNED-PAYLOAD")
        return f"{base}{path}?{query}&X-Amz-Signature={signature}"

    def post(
        self, key: str, *, signed_at: datetime, expires_at: datetime, content_type: str, size: int
    ) -> PresignedPost:
        """A form that uploads exactly `size` bytes of this type to this key."""
        stamp = _stamp(signed_at)
        fields = {
            "key": key,
            "Content-Type": content_type,
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": f"{self.access_key}/{stamp[:8]}/{self.region}/s3/aws4_request",
            "x-amz-date": stamp,
        }
        policy = {
            "expiration": expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "conditions": [
                {"bucket": self.bucket},
                ["content-length-range", size, size],
                *({name: value} for name, value in fields.items()),
            ],
        }
        encoded = base64.b64encode(json.dumps(policy).encode()).decode()
        signed = {"policy": encoded, "x-amz-signature": self._signature(stamp, encoded)}
        return PresignedPost(url=f"{self.endpoint}/{self.bucket}", fields=fields | signed)

    def _signed(self, stamp: str, request: str) -> str:
        digest = hashlib.sha256(request.encode()).hexdigest()
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        return self._signature(stamp, f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}")

    def _signature(self, stamp: str, text: str) -> str:
        signing_key = _signing_key(self.secret_key, stamp[:8], self.region)
        return hmac.new(signing_key, text.encode(), hashlib.sha256).hexdigest()


def content_disposition(file_name: str | None, *, attachment: bool) -> str:
    """A Content-Disposition for a name that a stranger chose (RFC 6266, RFC 8187).

    Control characters and what directs the reading order are dropped, slashes turned into underscores.
    """
    kind = "attachment" if attachment else "inline"
    name = "".join("_" if c in '/\\"' else c for c in file_name or "" if c.isprintable()).strip(" .")[:200]
    if not name:
        return kind
    plain = "".join(c if c.isascii() and c not in "%;" else "_" for c in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


@lru_cache(maxsize=64)
def _frame(
    signer: Signer, stamp: str, seconds: int, overrides: tuple[tuple[str, str], ...]
) -> tuple[str, str, str]:
    """What all addresses of one window share, and most of their cost: site, bucket's path, query."""
    return _query(signer, stamp, seconds, dict(overrides), signed="host")


def _query(
    signer: Signer, stamp: str, seconds: int, own: Mapping[str, str], *, signed: str
) -> tuple[str, str, str]:
    """Site, bucket's path, and a query of `own` parameters and those that sign; `signed` are its headers."""
    site = urlsplit(signer.endpoint)
    parameters = {
        **own,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{signer.access_key}/{stamp[:8]}/{signer.region}/s3/aws4_request",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": signed,
    }
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in parameters.items())
    query = "&".join(f"{name}={value}" for name, value in pairs)
    return f"{site.scheme}://{site.netloc}", f"{site.path}/{signer.bucket}/", query


@lru_cache(maxsize=8)
def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


@lru_cache(maxsize=8)
def _host(endpoint: str) -> str:
    # Clients leave a scheme's own port out of the Host header, whatever the address says.
    site = urlsplit(endpoint)
    return site.netloc.removesuffix(":443" if site.scheme == "https" else ":80").lower()


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key

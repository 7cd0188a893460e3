"""The store's rarer calls by boto3: conditional copies and multipart uploads.

Each blocks; `S3ObjectStore` runs them in a few threads of its own.
"""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from adapters.object_store.protocol import (
    ObjectMissing,
    Part,
    PreconditionFailed,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    Unfinished,
)
from adapters.settings import StoreSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

THREADS: Final = 8
CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 10
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchUpload", "NotFound", "404"})
_LATER: Final = frozenset({"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling"})


class Control:
    """A boto3 client for our bucket."""

    def __init__(self, store: StoreSettings) -> None:
        """Connects to nothing yet."""
        self._bucket = store.bucket
        self._client = client_of(store)

    def copy(self, source: str, target: str, *, if_match: str, content_type: str) -> str:
        """The target's ETag; raises ObjectMissing, PreconditionFailed and what the store raises."""
        try:
            done = self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": source},
                CopySourceIfMatch=f'"{if_match}"',
                MetadataDirective="REPLACE",
                ContentType=content_type,
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error, source) from error
        return done["CopyObjectResult"].get("ETag", "").strip('"')

    def begin_upload(self, key: str, content_type: str) -> str:
        """The id of a new multipart upload."""
        try:
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error, key) from error
        return begun["UploadId"]

    def upload_part(self, key: str, upload_id: str, number: int, data: bytes) -> "CompletedPartTypeDef":
        """Stores one part (numbers from 1)."""
        try:
            done = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=data
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error, key) from error
        return {"ETag": done["ETag"], "PartNumber": number}

    def finish_upload(self, key: str, upload_id: str, parts: "list[CompletedPartTypeDef]") -> str:
        """Makes the object out of its parts; returns its ETag."""
        try:
            done = self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error, key) from error
        return done["ETag"].strip('"')

    def drop_upload(self, key: str, upload_id: str) -> None:
        """Throws the parts away."""
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except (ClientError, BotoCoreError) as error:
            raise failure(error, key) from error

    def parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """The parts that arrived, by number; raises ObjectMissing where there is no such upload."""
        try:
            pages = list(
                self._client.get_paginator("list_parts").paginate(
                    Bucket=self._bucket, Key=key, UploadId=upload_id
                )
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error, key) from error
        found = (
            Part(number=part["PartNumber"], size=part["Size"], etag=part["ETag"].strip('"'))
            for page in pages
            for part in page.get("Parts", [])
        )
        return tuple(sorted(found, key=lambda part: part.number))

    def unfinished(self, prefix: str) -> tuple[Unfinished, ...]:
        """The uploads under way, the oldest first."""
        try:
            pages = list(
                self._client.get_paginator("list_multipart_uploads").paginate(
                    Bucket=self._bucket, Prefix=prefix
                )
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error, prefix) from error
        found = (
            Unfinished(key=each["Key"], upload_id=each["UploadId"], begun_at=each["Initiated"])
            for page in pages
            for each in page.get("Uploads", [])
        )
        return tuple(sorted(found, key=lambda each: (each.begun_at, each.upload_id)))

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


def client_of(store: StoreSettings, *, attempts: int = 3) -> "S3Client":
    """A client that asks each thing so many times at most; it connects to nothing yet."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=store.endpoint,
        region_name=store.region,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key.get_secret_value(),
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",  # stores other than Amazon's stumble over them
            response_checksum_validation="when_required",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": attempts},  # back-off with jitter
            max_pool_connections=THREADS,
        ),
    )


def failure(error: ClientError | BotoCoreError, key: str) -> StoreError:
    """What boto3's error means to us."""
    if not isinstance(error, ClientError):
        return StoreUnavailable(str(error))  # no answer, or half of one
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _MISSING:
        return ObjectMissing(key)
    if status == 412:
        return PreconditionFailed(key)
    if status >= 500 or status == 429 or code in _LATER:
        return StoreUnavailable(f"{code or status}")
    return StoreRefused(f"{code or status}", code=code or None)

"""The object store: originals and variants, by key."""

from adapters.object_store.in_memory import InMemoryObjectStore
from adapters.object_store.prompt import PromptStore
from adapters.object_store.protocol import (
    ObjectInfo,
    ObjectMissing,
    ObjectStore,
    ObjectTooLarge,
    Part,
    PreconditionFailed,
    PresignedPost,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    Unfinished,
)
from adapters.object_store.s3 import S3ObjectStore

__all__ = [
    "InMemoryObjectStore",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "ObjectTooLarge",
    "Part",
    "PreconditionFailed",
    "PresignedPost",
    "PromptStore",
    "S3ObjectStore",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
    "Unfinished",
]

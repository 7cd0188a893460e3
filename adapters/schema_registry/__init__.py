"""The schema registry: ids and compatibility of the schemas by which records are written."""

from adapters.schema_registry.confluent import ConfluentSchemaRegistry
from adapters.schema_registry.in_memory import InMemorySchemaRegistry
from adapters.schema_registry.loading import codec_of, load_codec
from adapters.schema_registry.protocol import (
    COMPATIBILITY,
    ContractMismatch,
    RegistryError,
    RegistryRefused,
    RegistryUnavailable,
    SchemaIncompatible,
    SchemaRegistry,
)

__all__ = [
    "COMPATIBILITY",
    "ConfluentSchemaRegistry",
    "ContractMismatch",
    "InMemorySchemaRegistry",
    "RegistryError",
    "RegistryRefused",
    "RegistryUnavailable",
    "SchemaIncompatible",
    "SchemaRegistry",
    "codec_of",
    "load_codec",
]

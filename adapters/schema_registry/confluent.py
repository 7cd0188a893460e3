"""A schema registry behind Confluent's HTTP interface (Confluent's own, Apicurio, Redpanda, Karapace …)."""

import json
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

# The client lets its HTTP library's errors through, and which library that is it decides here.
from confluent_kafka.schema_registry.common._httpx_compat import httpx
from confluent_kafka.schema_registry.error import SchemaRegistryError

from adapters.schema_registry.protocol import RegistryRefused, RegistryUnavailable, SchemaIncompatible
from adapters.settings import RegistrySettings

_T = TypeVar("_T")

_TIMEOUT_SECONDS = 5.0
_NOT_FOUND = 404
_CONFLICT = 409
_TOO_MANY_REQUESTS = 429
_SERVER_FAULTS = 500


class ConfluentSchemaRegistry:
    """Asks the registry over HTTP, at most 5 seconds a call and without repetitions."""

    def __init__(self, registry: RegistrySettings) -> None:
        self._config: dict[str, object] = {"url": registry.url, "timeout": _TIMEOUT_SECONDS, "max.retries": 0}
        if registry.credentials is not None:
            self._config["basic.auth.user.info"] = registry.credentials.get_secret_value()
        self._client: SchemaRegistryClient | None = None

    def lookup(self, subject: str, schema: str) -> int | None:
        """As the Protocol says."""
        found = self._ask(lambda client: client.lookup_schema(subject, Schema(schema, "AVRO")))
        return None if found is None else found.schema_id

    def exists(self, subject: str) -> bool:
        """As the Protocol says."""
        return bool(self._ask(lambda client: client.get_versions(subject)))

    def schema(self, schema_id: int) -> dict[str, object] | None:
        """As the Protocol says; what is no Avro record comes as a schema of another name than any of ours."""
        found = self._ask(lambda client: client.get_schema(schema_id))
        if found is None:
            return None
        schema = json.loads(found.schema_str or "{}") if found.schema_type in {None, "AVRO"} else {}
        return schema if isinstance(schema, dict) else {}

    def register(self, subject: str, schema: str) -> int:
        """As the Protocol says."""
        registered = self._ask(
            lambda client: client.register_schema_full_response(subject, Schema(schema, "AVRO"))
        )
        if registered is None or registered.schema_id is None:
            raise RegistryRefused(f"{subject}: registered, but no id came back")
        return int(registered.schema_id)

    def compatibility(self, subject: str) -> str | None:
        """As the Protocol says."""
        return self._ask(lambda client: client.get_compatibility(subject))

    def set_compatibility(self, subject: str, level: str) -> None:
        """As the Protocol says."""
        try:
            self._ask(lambda client: client.set_compatibility(subject, level))
        except SchemaIncompatible:  # what Apicurio says to all but the first of those who set it at once
            if self.compatibility(subject) != level:
                raise

    def close(self) -> None:
        """As the Protocol says."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self, call: Callable[[SchemaRegistryClient], _T]) -> _T | None:
        """What the call gives; None where the registry says that there is no such thing."""
        if self._client is None:
            self._client = SchemaRegistryClient(self._config)
        try:
            return call(self._client)
        except SchemaRegistryError as error:
            status = int(error.http_status_code)
            if status == _NOT_FOUND:
                return None
            if status >= _SERVER_FAULTS or status == _TOO_MANY_REQUESTS:
                raise RegistryUnavailable(f"it answered {status}") from error
            if status == _CONFLICT:
                raise SchemaIncompatible(str(error.error_message)) from error
            raise RegistryRefused(f"it answered {status}: {error.error_message}") from error
        except (httpx.HTTPError, OSError) as error:
            raise RegistryUnavailable(f"{type(error).__name__}: {error}") from error

"""The codec of a process: the ids of our schemas, fetched once from the registry and kept for ever."""

import threading
import time
from collections.abc import Mapping

import structlog

from adapters.schema_registry.confluent import ConfluentSchemaRegistry
from adapters.schema_registry.protocol import ContractMismatch, RegistryUnavailable, SchemaRegistry
from adapters.settings import Settings
from schemas.avsc import avsc, avsc_text
from schemas.catalogue import CATALOGUE, EventType
from schemas.codec import Codec, WriterSchema
from schemas.topics import Topics

log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 1.0

# An id that nobody knows is a poisoned record's. A flood of such must not become a flood of questions.
_FORGET_UNKNOWN_SECONDS = 30.0
_MOST_UNKNOWN = 1_000


def load_codec(settings: Settings, *, stop: threading.Event | None = None) -> Codec:
    """The codec for the topics of these settings. Blocks: call it in a thread where a loop runs.

    Waits for a registry that can't be reached, until `stop` is set, and raises RegistryUnavailable then;
    raises ContractMismatch, in sentences, where the registry does not hold our schemas.
    """
    return codec_of(ConfluentSchemaRegistry(settings.registry), settings.kafka.topics, stop=stop)


def codec_of(registry: SchemaRegistry, topics: Topics, *, stop: threading.Event | None = None) -> Codec:
    """As `load_codec`, from any registry."""
    stop = stop or threading.Event()
    while True:
        try:
            return _load(registry, topics)
        except RegistryUnavailable as error:
            log.warning("schema_registry_unavailable", reason=str(error))
            if stop.wait(_PAUSE_SECONDS):
                raise
        finally:
            registry.close()


def _load(registry: SchemaRegistry, topics: Topics) -> Codec:
    ids: dict[str, int] = {}
    schemas: dict[int, WriterSchema] = {}
    wrong: list[str] = []
    for row in CATALOGUE:
        for version in range(1, row.newest + 1):
            schema_id = registry.lookup(row.subject(topics), avsc_text(row, version))
            if schema_id is None:
                wrong.append(_sentence(registry, row, version, topics))
                continue
            schemas[schema_id] = WriterSchema(schema=avsc(row, version))
            ids[row.full_name] = schema_id
    if wrong:
        raise ContractMismatch(tuple(wrong))
    return Codec(ids, SchemaSource(registry, schemas))


def _sentence(registry: SchemaRegistry, row: EventType, version: int, topics: Topics) -> str:
    subject = row.subject(topics)
    if not registry.exists(subject):
        return f"The registry has no subject {subject}. Run `python -m ops schemas register`."
    return (
        f"The registry's subject {subject} has no schema like {row.versions[version - 1]}. Is this the newer "
        "program? Then run `python -m ops schemas register`. If not, the registry is not ours."
    )


class SchemaSource:
    """The schema of any id: ours by heart, others (a newer program's) from the registry, once each."""

    def __init__(self, registry: SchemaRegistry, known: Mapping[int, WriterSchema]) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._known = dict(known)
        self._unknown: dict[int, float] = {}

    def __call__(self, schema_id: int) -> WriterSchema | None:
        """The schema, or None where the registry has none; raises RegistryError. Safe from any thread."""
        if (known := self._known.get(schema_id)) is not None:
            return known
        with self._lock:
            return self._found(schema_id)

    def _found(self, schema_id: int) -> WriterSchema | None:
        if time.monotonic() < self._unknown.get(schema_id, 0.0):
            return None
        schema = self._ask(schema_id)
        if schema is None:
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[schema_id] = time.monotonic() + _FORGET_UNKNOWN_SECONDS
            return None
        found = self._known[schema_id] = WriterSchema(schema=schema)
        return found

    def _ask(self, schema_id: int) -> dict[str, object] | None:
        try:
            return self._registry.schema(schema_id)
        finally:
            self._registry.close()  # it is asked once in a blue moon

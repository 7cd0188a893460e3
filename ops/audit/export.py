"""Writes the logs that are kept for ever into a folder, record by record, each partition as a chain."""

from collections.abc import Callable, Generator, Iterable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.settings import KafkaSettings
from ops.audit import chain, manifest
from ops.audit.chain import Entry, Head
from ops.audit.manifest import Chains, Manifest
from projections.rebuild.span import Span
from projections.topic import describe, ends

MANIFEST: Final = "manifest.jws"
_CHUNK: Final = 1_000

Told = Callable[[int], None]
"""Hears how many records more were read."""


def topics_of(kafka: KafkaSettings) -> tuple[str, ...]:
    """The logs of which nothing is ever dropped; compacted topics and dead letters have no chain."""
    return (kafka.topics.assets, kafka.topics.identity, kafka.topics.operations)


def file_of(topic: str, partition: int) -> str:
    """The name of a partition's file."""
    return f"{topic}-{partition}.jsonl"


def export(
    kafka: KafkaSettings, folder: Path, key: Ed25519PrivateKey, made_at: datetime, told: Told
) -> Manifest:
    """Writes what the logs hold now into an empty folder, the manifest last; raises what brokers raise."""
    topics = {topic: _topic(kafka, folder, topic, told) for topic in topics_of(kafka)}
    made = Manifest(made_at=made_at, topics=topics)
    (folder / MANIFEST).write_bytes(manifest.sign(key, made))
    return made


def entries(
    kafka: KafkaSettings, topic: str, partition: int, until: int, told: Told
) -> Generator[Entry, None, None]:
    """The records of a partition below the offset `until` as the log has them; close it to leave early."""
    span = Span(kafka.client(), topic, partition, group=f"{kafka.topic_prefix}.audit")
    try:
        while records := span.read(until, _CHUNK):
            yield from map(chain.entry_of, records)
            told(len(records))
    finally:
        span.close()


def _topic(kafka: KafkaSettings, folder: Path, topic: str, told: Told) -> Chains:
    topic_id = describe(kafka, topic).topic_id
    heads = {}
    for partition, end in ends(kafka, topic).items():
        with (folder / file_of(topic, partition)).open("wb") as file:
            begun = chain.begin(topic, topic_id, partition)
            heads[partition] = _chained(entries(kafka, topic, partition, end, told), begun, file)
    return Chains(topic_id=topic_id, heads=heads)


def _chained(found: Iterable[Entry], digest: bytes, file: BinaryIO) -> Head:
    records, following = 0, 0
    for entry in found:
        digest = chain.after(digest, entry)
        file.write(chain.line(entry, digest))
        records, following = records + 1, entry.offset + 1
    return Head(next_offset=following, records=records, digest=digest.hex())

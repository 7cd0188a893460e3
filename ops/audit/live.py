"""Compares an export with the log as it stands now, record by record, up to the heads that were signed."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Final

from adapters.settings import KafkaSettings
from ops.audit import chain
from ops.audit.chain import Entry, Head, NotARecord
from ops.audit.export import Told, entries, file_of
from ops.audit.manifest import Chains, Manifest
from ops.audit.verifying import Verdict, against_head
from projections.log_reader import OffsetOutOfRange
from projections.topic import TopicMissing, WrongPartitions, describe, ends

_FIELDS: Final = ("time", "key", "value", "headers")


def verify_live(
    kafka: KafkaSettings, folder: Path, signed: Manifest, offline: Verdict, told: Told
) -> tuple[str, ...]:
    """A sentence for each partition that differs, with the first record that does; what came since may be.

    `offline` is what `verify` said of the folder: a file that is broken can't say which record differs, so
    the log is held to the signed head alone. Raises KafkaException where the log can't be read.
    """
    wrong: list[str] = []
    for topic, chains in signed.topics.items():
        try:
            wrong += _topic(kafka, folder, topic, chains, offline, told)
        except (TopicMissing, WrongPartitions) as error:
            wrong.append(f"{topic}: {error}")
    return tuple(wrong)


def first_difference(exported: Iterable[Entry], found: Iterable[Entry]) -> str | None:
    """The first record of the export that the log does not have as it was, in words; None where none is."""
    for theirs, ours in zip_longest(exported, found):
        if theirs == ours:
            continue
        if ours is None or (theirs is not None and theirs.offset < ours.offset):
            return f"offset {theirs.offset}: the log has no such record any more"
        if theirs is None or ours.offset < theirs.offset:
            return f"offset {ours.offset}: the log has a record that was not there"
        other = [name for name in _FIELDS if getattr(theirs, name) != getattr(ours, name)]
        return f"offset {ours.offset}: the log has another {', another '.join(other)}"
    return None


def _topic(
    kafka: KafkaSettings, folder: Path, topic: str, chains: Chains, offline: Verdict, told: Told
) -> Iterator[str]:
    if (topic_id := describe(kafka, topic).topic_id) != chains.topic_id:
        yield f"{topic}: was deleted and made anew ({topic_id} instead of {chains.topic_id})"
        return
    there = ends(kafka, topic)
    for partition, head in chains.heads.items():
        until = min(there.get(partition, 0), head.next_offset)
        begun, name = chain.begin(topic, chains.topic_id, partition), file_of(topic, partition)
        with closing(entries(kafka, topic, partition, until, told)) as found:
            try:
                whole = name not in offline.broken
                sentence = _by_file(folder / name, begun, found) if whole else _by_head(found, begun, head)
            except OffsetOutOfRange:
                sentence = "the log no longer has its beginning"
        if sentence:
            yield f"{topic}, partition {partition}, {sentence}"


def _by_file(path: Path, begun: bytes, found: Iterable[Entry]) -> str | None:
    try:
        with path.open("rb") as file:
            return first_difference((entry for entry, _ in chain.followed(file, begun)), found)
    except NotARecord as error:
        return f"{path.name} was changed while it was read: {error}"


def _by_head(found: Iterable[Entry], begun: bytes, head: Head) -> str | None:
    if sentence := against_head(_chained(found, begun), begun, head, lambda _: None):
        return f"{sentence}; at which record can't be said, as the file is not whole"
    return None


def _chained(found: Iterable[Entry], digest: bytes) -> Iterator[tuple[Entry, bytes]]:
    for entry in found:
        digest = chain.after(digest, entry)
        yield entry, digest

"""Checks an export: every chain from its beginning to the head that the manifest signed, and the live log."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.settings import KafkaSettings
from ops.audit import chain, manifest
from ops.audit.chain import Entry, Head, NotARecord
from ops.audit.export import MANIFEST, Told, entries, file_of
from ops.audit.manifest import Chains, Manifest, NoManifest
from projections.topic import describe, ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was checked: records of all chains, and a sentence for each thing that is not as it was signed."""

    records: int
    wrong: tuple[str, ...]


def verify(folder: Path, key: Ed25519PublicKey, told: Told) -> tuple[Manifest | None, Verdict]:
    """Checks the folder by itself; no manifest where none is signed by this key."""
    try:
        signed = manifest.read(key, (folder / MANIFEST).read_bytes())
    except (NoManifest, OSError) as error:
        return None, Verdict(records=0, wrong=(f"{MANIFEST} is not signed by this installation: {error}",))
    wrong = [*_strangers(folder, signed)]
    records = 0
    for topic, chains in signed.topics.items():
        for partition, head in chains.heads.items():
            begun = chain.begin(topic, chains.topic_id, partition)
            sentence = _file(folder / file_of(topic, partition), begun, head, told)
            records += head.records
            wrong += [f"{file_of(topic, partition)}: {sentence}"] if sentence else []
    return signed, Verdict(records=records, wrong=tuple(wrong))


def verify_live(kafka: KafkaSettings, signed: Manifest, told: Told) -> Verdict:
    """Reads the live log again up to the heads; what came since is not looked at."""
    wrong = []
    for topic, chains in signed.topics.items():
        wrong += [f"{topic}: {sentence}" for sentence in _live(kafka, topic, chains, told)]
    heads = (head for chains in signed.topics.values() for head in chains.heads.values())
    return Verdict(records=sum(head.records for head in heads), wrong=tuple(wrong))


def followed(found: Iterable[tuple[Entry, str | None]], digest: bytes, head: Head, told: Told) -> str | None:
    """What is wrong with a chain, if anything is; digests that stand beside records must be theirs."""
    records = following = 0
    for entry, said in found:
        digest = chain.after(digest, entry)
        if said is not None and said != digest.hex():
            return f"the record at offset {entry.offset} is not what was chained"
        records, following = records + 1, entry.offset + 1
        told(1)
    if (records, following) != (head.records, head.next_offset):
        return f"{records} records up to offset {following}, signed were {head.records} to {head.next_offset}"
    return None if digest.hex() == head.digest else "its last digest is not the one that was signed"


def _file(path: Path, begun: bytes, head: Head, told: Told) -> str | None:
    try:
        with path.open() as file:
            return followed(chain.read(file), begun, head, told)
    except (NotARecord, UnicodeDecodeError) as error:
        return str(error)
    except OSError:
        return "is missing"


def _strangers(folder: Path, signed: Manifest) -> Iterator[str]:
    known = {file_of(topic, number) for topic, chains in signed.topics.items() for number in chains.heads}
    for path in sorted(folder.glob("*.jsonl")):
        if path.name not in known:
            yield f"{path.name}: nobody signed this file"


def _live(kafka: KafkaSettings, topic: str, chains: Chains, told: Told) -> Iterator[str]:
    if (topic_id := describe(kafka, topic).topic_id) != chains.topic_id:
        yield f"was deleted and made anew ({topic_id} instead of {chains.topic_id})"
        return
    there = ends(kafka, topic)
    for partition, head in chains.heads.items():
        if there.get(partition, 0) < head.next_offset:
            yield f"partition {partition} ends at {there.get(partition, 0)}, signed was {head.next_offset}"
            continue
        begun = chain.begin(topic, chains.topic_id, partition)
        found = ((entry, None) for entry in entries(kafka, topic, partition, head.next_offset))
        if sentence := followed(found, begun, head, told):
            yield f"partition {partition}: {sentence}"

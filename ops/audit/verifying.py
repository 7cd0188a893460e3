"""Checks an export: every byte from the beginnings of its chains to the heads that the manifest signed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ops.audit import chain, manifest
from ops.audit.chain import Entry, Head, NotARecord
from ops.audit.export import MANIFEST, Told, file_of
from ops.audit.manifest import Manifest, NoManifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was checked: records of all chains, and a sentence for each thing that is not as it was signed.

    `broken` are the files whose records can't be believed.
    """

    records: int
    wrong: tuple[str, ...]
    broken: frozenset[str] = frozenset()


def verify(folder: Path, key: Ed25519PublicKey, told: Told) -> tuple[Manifest | None, Verdict]:
    """Checks the folder by itself; no manifest where none is signed by this key."""
    try:
        signed = manifest.read(key, (folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None, Verdict(records=0, wrong=(f"{MANIFEST}: is missing",))
    except OSError as error:
        return None, Verdict(records=0, wrong=(f"{MANIFEST}: can't be read ({error.strerror})",))
    except NoManifest as error:
        return None, Verdict(
            records=0, wrong=(f"{MANIFEST}: is not as this installation signed it ({error})",)
        )
    wrong, broken, records = [*_strangers(folder, signed)], set[str](), 0
    for topic, chains in signed.topics.items():
        for partition, head in chains.heads.items():
            name = file_of(topic, partition)
            begun = chain.begin(topic, chains.topic_id, partition)
            if sentence := _file(folder / name, begun, head, told):
                wrong.append(f"{name}: {sentence}")
                broken.add(name)
            records += head.records
    return signed, Verdict(records=records, wrong=tuple(wrong), broken=frozenset(broken))


def against_head(found: Iterable[tuple[Entry, bytes]], begun: bytes, head: Head, told: Told) -> str | None:
    """What is wrong with the end of a chain, if anything is: records with the digest after each."""
    digest, records, following = begun, 0, 0
    for entry, after in found:
        digest, records, following = after, records + 1, entry.offset + 1
        told(1)
    if (records, following) != (head.records, head.next_offset):
        return f"{records} records up to offset {following}, signed were {head.records} to {head.next_offset}"
    return None if digest.hex() == head.digest else "its last digest is not the one that was signed"


def _file(path: Path, begun: bytes, head: Head, told: Told) -> str | None:
    try:
        with path.open("rb") as file:
            return against_head(chain.followed(file, begun), begun, head, told)
    except NotARecord as error:
        return str(error)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"can't be read ({error.strerror})"


def _strangers(folder: Path, signed: Manifest) -> Iterator[str]:
    """Whatever else lies in the folder, hidden or not."""
    known = {file_of(topic, number) for topic, chains in signed.topics.items() for number in chains.heads}
    for path in sorted(folder.iterdir()):
        if path.name not in known | {MANIFEST}:
            yield f"{path.name}: nobody signed this file"

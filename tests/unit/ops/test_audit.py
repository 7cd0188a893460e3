"""An export of the log is checked offline: whatever is changed in it is found, and named."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.audit import chain, manifest
from ops.audit.chain import Entry, Head
from ops.audit.export import MANIFEST, file_of
from ops.audit.manifest import Chains, Manifest, audit_key
from ops.audit.verifying import verify

KEY = audit_key(b"a secret of thirty-two characters")
TOPIC = "darkroom.assets.v1"
FILE = file_of(TOPIC, 0)


def entries(count: int = 5) -> list[Entry]:
    """Records with everything that a record may have or lack."""
    headers = (("ce_id", b"1"), ("empty", b""), ("none", None))
    return [
        Entry(offset=n, time=1000 + n, key=None if n == 1 else b"k", value=b"v" * n, headers=headers[: n % 4])
        for n in range(count)
    ]


def exported(folder: Path, partitions: int = 2) -> Path:
    """A folder as the command leaves it."""
    heads = {}
    for partition in range(partitions):
        digest, lines = chain.begin(TOPIC, "id", partition), []
        for entry in entries():
            digest = chain.after(digest, entry)
            lines.append(chain.line(entry, digest))
        (folder / file_of(TOPIC, partition)).write_text("".join(f"{line}\n" for line in lines))
        heads[partition] = Head(next_offset=5, records=5, digest=digest.hex())
    made = Manifest(
        made_at=datetime(2026, 1, 1, tzinfo=UTC), topics={TOPIC: Chains(topic_id="id", heads=heads)}
    )
    (folder / MANIFEST).write_bytes(manifest.sign(KEY, made))
    return folder


def wrong_in(folder: Path) -> tuple[str, ...]:
    return verify(folder, KEY.public_key(), lambda _: None)[1].wrong


def test_what_was_exported_is_found_right(tmp_path: Path) -> None:
    signed, verdict = verify(exported(tmp_path), KEY.public_key(), lambda _: None)
    assert verdict.wrong == ()
    assert verdict.records == 10
    assert signed is not None
    assert set(signed.topics) == {TOPIC}


def changed(field: str, value: object) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        return [lines[0], lines[1], json.dumps(json.loads(lines[2]) | {field: value}), *lines[3:]]

    return change


TAMPERED: dict[str, Callable[[list[str]], list[str]]] = {
    "another value": changed("value", "AAAA"),
    "another key": changed("key", None),
    "another time": changed("time", 5),
    "another offset": changed("offset", 7),
    "other headers": changed("headers", []),
    "another digest": changed("digest", "00"),
    "nonsense": changed("headers", "x"),
    "a record left out": lambda lines: [*lines[:2], *lines[3:]],
    "two that changed places": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    "the last one cut off": lambda lines: lines[:-1],
    "one said twice": lambda lines: [*lines, lines[-1]],
    "nothing left": lambda _: [],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_whatever_is_tampered_with_is_found(tmp_path: Path, how: str) -> None:
    path = exported(tmp_path) / FILE
    path.write_text("".join(f"{line}\n" for line in TAMPERED[how](path.read_text().splitlines())))
    (sentence,) = wrong_in(tmp_path)
    assert sentence.startswith(FILE)


def test_a_chain_that_was_made_anew_does_not_lead_to_the_signed_head(tmp_path: Path) -> None:
    """Who can compute digests still can't sign."""
    path = exported(tmp_path) / FILE
    digest, lines = chain.begin(TOPIC, "id", 0), []
    for entry in entries():
        forged = Entry(offset=entry.offset, time=0, key=b"forged", value=entry.value, headers=entry.headers)
        digest = chain.after(digest, forged)
        lines.append(chain.line(forged, digest))
    path.write_text("".join(f"{line}\n" for line in lines))
    assert wrong_in(tmp_path) == (f"{FILE}: its last digest is not the one that was signed",)


def test_chains_do_not_pass_for_each_others(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    (folder / FILE).write_bytes((folder / file_of(TOPIC, 1)).read_bytes())
    assert wrong_in(folder) == (f"{FILE}: the record at offset 0 is not what was chained",)


def test_a_file_that_is_missing_or_a_strangers_is_named(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    (folder / FILE).rename(folder / "other.jsonl")
    assert set(wrong_in(folder)) == {f"{FILE}: is missing", "other.jsonl: nobody signed this file"}


def test_a_manifest_of_another_installation_is_none(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    other = audit_key(b"another secret of thirty-two chars").public_key()
    assert verify(folder, other, lambda _: None)[0] is None
    (folder / MANIFEST).write_bytes(b"nonsense")
    assert "not signed" in wrong_in(folder)[0]

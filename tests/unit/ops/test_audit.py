"""An export of the log is checked offline: whatever is changed in it is found, and named."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jwt.utils import base64url_decode, base64url_encode

from ops.audit import chain, manifest
from ops.audit.chain import Entry, Head
from ops.audit.export import MANIFEST, file_of
from ops.audit.live import first_difference
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


def chained(records: list[Entry], partition: int = 0) -> tuple[bytes, bytes]:
    """A partition's file, and the digest after its last record."""
    digest, lines = chain.begin(TOPIC, "id", partition), []
    for entry in records:
        digest = chain.after(digest, entry)
        lines.append(chain.line(entry, digest))
    return b"".join(lines), digest


def exported(folder: Path, *, partitions: int = 2, count: int = 5) -> Path:
    """A folder as the command leaves it."""
    heads = {}
    for partition in range(partitions):
        text, digest = chained(entries(count), partition)
        (folder / file_of(TOPIC, partition)).write_bytes(text)
        heads[partition] = Head(next_offset=count, records=count, digest=digest.hex())
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


def changed(**fields: object) -> Callable[[list[bytes]], list[bytes]]:
    """The third line with other fields, written as an export writes."""

    def change(lines: list[bytes]) -> list[bytes]:
        said = json.loads(lines[2]) | fields
        return [*lines[:2], json.dumps(said, separators=(",", ":")).encode() + b"\n", *lines[3:]]

    return change


def with_third(old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    """The third line with some of its text replaced: its record stays what it is, its bytes do not."""

    def change(lines: list[bytes]) -> list[bytes]:
        assert lines[2].count(old) == 1
        return [*lines[:2], lines[2].replace(old, new), *lines[3:]]

    return change


ANOTHER = "the record at offset 2 is not what was chained"
OTHERWISE = "line 3 tells its record otherwise than an export does"
NO_RECORD = "line 3 is no record"
TAMPERED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "another value": (changed(value="AAAA"), ANOTHER),
    "another key": (changed(key=None), ANOTHER),
    "another time": (changed(time=5), ANOTHER),
    "another offset": (changed(offset=7), "the record at offset 7 is not what was chained"),
    "other headers": (changed(headers=[]), ANOTHER),
    "another digest": (changed(digest="00"), ANOTHER),
    "nonsense": (changed(headers="x"), NO_RECORD),
    "no number's size": (changed(time=2**63), NO_RECORD),
    "no character": (changed(headers=[["\ud800", None]]), NO_RECORD),
    "nothing but brackets": (lambda lines: [*lines[:2], b"[" * 100_000], NO_RECORD),
    "a field more": (changed(note="all is well"), OTHERWISE),
    "a field said twice": (with_third(b'{"offset":2', b'{"offset":1,"offset":2'), OTHERWISE),
    "words after it": (with_third(b"}\n", b"} \n"), OTHERWISE),
    "another line's end": (with_third(b"}\n", b"}\r\n"), OTHERWISE),
    "a number as a text": (with_third(b'"time":1002', b'"time":"1002"'), OTHERWISE),
    "bits that say nothing": (with_third(b'"key":"aw=="', b'"key":"ax=="'), OTHERWISE),
    "a digest in capitals": (lambda lines: [*lines[:2], lines[2].upper()], NO_RECORD),
    "a record left out": (
        lambda lines: [*lines[:2], *lines[3:]],
        "the record at offset 3 is not what was chained",
    ),
    "two that changed places": (
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        ANOTHER,
    ),
    "the last one cut off": (
        lambda lines: lines[:-1],
        "4 records up to offset 4, signed were 5 to 5",
    ),
    "the last one cut short": (
        lambda lines: [*lines[:-1], lines[-1][:-9]],
        "line 5 is no record",
    ),
    "the last byte cut off": (
        lambda lines: [*lines[:-1], lines[-1][:-1]],
        "line 5 tells its record otherwise than an export does",
    ),
    "one said twice": (
        lambda lines: [*lines, lines[-1]],
        "the record at offset 4 is not what was chained",
    ),
    "an empty line": (lambda lines: [*lines, b"\n"], "line 6 is no record"),
    "nothing left": (lambda _: [], "0 records up to offset 0, signed were 5 to 5"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_whatever_is_tampered_with_is_found(tmp_path: Path, how: str) -> None:
    path = exported(tmp_path) / FILE
    tamper, sentence = TAMPERED[how]
    path.write_bytes(b"".join(tamper(path.read_bytes().splitlines(keepends=True))))
    assert wrong_in(tmp_path) == (f"{FILE}: {sentence}",)


@pytest.mark.parametrize("name", [FILE, MANIFEST])
def test_every_byte_counts(tmp_path: Path, name: str) -> None:
    """Each byte turned in four ways, left out, said twice: found, and its file is named."""
    path = exported(tmp_path, partitions=1, count=3) / name
    whole = path.read_bytes()
    unseen = []
    for place, byte in enumerate(whole):
        others = [bytes([byte ^ 1 << bit]) for bit in range(0, 8, 2)]
        for other in (*others, b"", bytes([byte, byte])):
            path.write_bytes(whole[:place] + other + whole[place + 1 :])
            if [sentence.startswith(f"{name}: ") for sentence in wrong_in(tmp_path)] != [True]:
                unseen.append((place, byte, other))
    assert unseen == []
    path.write_bytes(whole)
    assert wrong_in(tmp_path) == ()


def test_a_signature_has_one_form(tmp_path: Path) -> None:
    """Letters and bits that decoders of base64 pass over count as well."""
    path = exported(tmp_path, partitions=1, count=1) / MANIFEST
    whole = path.read_bytes()
    others = [whole[:-1] + bytes([last]) for last in range(256) if last != whole[-1]]
    for other in (*others, whole + b"\n", whole + b"==", whole[:-9] + b"!" + whole[-9:], b" " + whole):
        path.write_bytes(other)
        assert len(wrong_in(tmp_path)) == 1, other[-12:]


def test_each_field_of_the_manifest_is_signed(tmp_path: Path) -> None:
    """Words that were put in by somebody who left the signature as it was."""
    path = exported(tmp_path) / MANIFEST
    header, claims, signature = path.read_bytes().split(b".")
    said = json.loads(base64url_decode(claims))
    head = said["topics"][TOPIC]["partitions"]["0"]
    for field in head:
        other = copy.deepcopy(said)
        other["topics"][TOPIC]["partitions"]["0"][field] = head["records"] - 1
        path.write_bytes(b".".join((header, base64url_encode(json.dumps(other).encode()), signature)))
        assert wrong_in(tmp_path) == (
            f"{MANIFEST}: is not as this installation signed it (InvalidSignatureError)",
        )


def test_a_chain_that_was_made_anew_does_not_lead_to_the_signed_head(tmp_path: Path) -> None:
    """Who can compute digests still can't sign."""
    path = exported(tmp_path) / FILE
    path.write_bytes(chained([replace(entry, key=b"forged") for entry in entries()])[0])
    assert wrong_in(tmp_path) == (f"{FILE}: its last digest is not the one that was signed",)


def test_chains_do_not_pass_for_each_others(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    (folder / FILE).write_bytes((folder / file_of(TOPIC, 1)).read_bytes())
    assert wrong_in(folder) == (f"{FILE}: the record at offset 0 is not what was chained",)


def test_a_file_that_is_missing_or_a_strangers_is_named(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    (folder / FILE).rename(folder / "other.jsonl")
    (folder / ".hidden").touch()
    (folder / "notes").mkdir()
    strangers = [f"{name}: nobody signed this file" for name in (".hidden", "notes", "other.jsonl")]
    assert wrong_in(folder) == (*strangers, f"{FILE}: is missing")


@pytest.mark.parametrize("name", [FILE, MANIFEST])
def test_a_folder_where_a_file_should_be_is_none(tmp_path: Path, name: str) -> None:
    folder = exported(tmp_path)
    (folder / name).unlink()
    (folder / name).mkdir()
    assert wrong_in(folder) == (f"{name}: can't be read (Is a directory)",)


def test_a_manifest_of_another_installation_is_none(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    other = audit_key(b"another secret of thirty-two chars").public_key()
    assert verify(folder, other, lambda _: None)[0] is None
    for nonsense in (b"nonsense", b"", b"W1tb.e30.AA", base64url_encode(b"[" * 100_000) + b".e30.AA"):
        (folder / MANIFEST).write_bytes(nonsense)
        assert wrong_in(folder)[0].startswith(f"{MANIFEST}: is not as this installation signed it")
    (folder / MANIFEST).unlink()
    assert wrong_in(folder) == (f"{MANIFEST}: is missing",)


def test_the_first_record_that_a_log_has_otherwise_is_named() -> None:
    there = entries()
    another = [*there[:2], replace(there[2], time=0, value=b"x"), *there[3:]]
    assert first_difference(there, there) is None
    assert first_difference(there, another) == "offset 2: the log has another time, another value"
    assert (
        first_difference(there, [*there[:1], *there[2:]]) == "offset 1: the log has no such record any more"
    )
    assert first_difference(there, there[:4]) == "offset 4: the log has no such record any more"
    assert first_difference(there[1:], there) == "offset 0: the log has a record that was not there"
    assert first_difference(there[:4], there) == "offset 4: the log has a record that was not there"

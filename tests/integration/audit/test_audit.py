"""The log of a real broker as a chain: exported, checked, and held to an export that says otherwise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from ops.audit import chain, manifest
from ops.audit.chain import Entry
from ops.audit.export import MANIFEST, export, file_of
from ops.audit.live import verify_live
from ops.audit.manifest import Manifest, audit_key
from ops.audit.verifying import verify
from ops.topics import apply
from schemas.envelope import RawRecord
from tests.log_records import append_raw
from tests.operators import ran, told
from tests.servers import Servers, World


def filled(world: World) -> str:
    """Topics with records of every shape; returns the name of the assets' log."""
    settings = world.settings()
    apply(settings, wait=120)
    topics = settings.kafka.topics
    places = [(topics.assets, 0)] * 3 + [(topics.assets, 1)] * 2
    places += [(topics.identity, 0), (topics.operations, 0)]
    headers = [("ce_id", b"1"), ("größe", b""), ("ce_id", b"2")]
    append_raw(
        world.env,
        [
            RawRecord(
                topic=topic,
                partition=partition,
                offset=0,
                timestamp_ms=0,
                key=None if number == 1 else b"k",
                value=None if number == 2 else bytes([0, 255, number]),
                headers=headers[: number % 4],
            )
            for number, (topic, partition) in enumerate(places)
        ],
    )
    return topics.assets


@pytest.fixture(scope="module")
def log(world: World) -> str:
    """The assets' log of a world whose logs have records; no test changes them."""
    return filled(world)


def exported(world: World, folder: Path) -> Manifest:
    """An export, made in this process."""
    settings = world.settings()
    return export(
        settings.kafka, folder, audit_key(settings.secrets.id_key), datetime.now(UTC), lambda _: None
    )


def wrong_live(world: World, folder: Path) -> tuple[str, ...]:
    settings = world.settings()
    signed, offline = verify(folder, audit_key(settings.secrets.id_key).public_key(), lambda _: None)
    assert signed is not None
    return verify_live(settings.kafka, folder, signed, offline, lambda _: None)


def test_an_export_is_as_the_log_and_whoever_has_the_public_key_can_tell(
    world: World, log: str, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    code, said = told(world, "audit", "export", str(folder))
    assert (code, said["records"]) == (0, 7)
    assert log in said["topics"]
    code, said = told(world, "audit", "verify", str(folder), "--live")
    assert (code, said) == (0, {"records": 7, "live": True, "wrong": []})

    public = tmp_path / "public.pem"
    public.write_text(ran(world, "audit", "public-key").stdout)
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "", "ID_SECRET": ""}
    alone = ran(world, "audit", "verify", str(folder), "--public-key", str(public), **nowhere)
    assert (alone.returncode, alone.stdout) == (0, "7 records, every chain as it was signed.\n")


def rewritten(
    world: World, folder: Path, log: str, change: Callable[[list[Entry]], list[Entry]], *, topic_id: str = ""
) -> None:
    """The export of another log: partition 0 with other records, chained and signed as if they had been."""
    made = exported(world, folder)
    chains, path = made.topics[log], folder / file_of(log, 0)
    with path.open("rb") as file:
        before = [entry for entry, _ in chain.followed(file, chain.begin(log, chains.topic_id, 0))]
    digest, lines = chain.begin(log, topic_id or chains.topic_id, 0), []
    for entry in (records := change(before)):
        digest = chain.after(digest, entry)
        lines.append(chain.line(entry, digest))
    path.write_bytes(b"".join(lines))
    head = chain.Head(next_offset=records[-1].offset + 1, records=len(records), digest=digest.hex())
    others = replace(chains, heads={**chains.heads, 0: head}, topic_id=topic_id or chains.topic_id)
    key = audit_key(world.settings().secrets.id_key)
    signed = replace(made, topics={**made.topics, log: others})
    (folder / MANIFEST).write_bytes(manifest.sign(key, signed))


def test_the_first_record_that_differs_is_named(world: World, log: str, tmp_path: Path) -> None:
    rewritten(
        world, tmp_path, log, lambda was: [was[0], *(replace(entry, value=b"other") for entry in was[1:])]
    )
    code, said = told(world, "audit", "verify", str(tmp_path), "--live")
    assert code == 3
    assert said["wrong"] == [f"{log}, partition 0, offset 1: the log has another value"]


def test_a_log_that_ends_earlier_lacks_a_record(world: World, log: str, tmp_path: Path) -> None:
    rewritten(world, tmp_path, log, lambda was: [*was, replace(was[-1], offset=was[-1].offset + 1)])
    assert wrong_live(world, tmp_path) == (
        f"{log}, partition 0, offset 3: the log has no such record any more",
    )


def test_a_topic_made_anew_is_another_log(world: World, log: str, tmp_path: Path) -> None:
    rewritten(world, tmp_path, log, lambda was: was, topic_id="another")
    (sentence,) = wrong_live(world, tmp_path)
    assert sentence.startswith(f"{log}: was deleted and made anew")


def test_a_broken_file_says_nothing_against_the_log(world: World, log: str, tmp_path: Path) -> None:
    """The log is held to the signed head alone."""
    exported(world, tmp_path)
    path = tmp_path / file_of(log, 0)
    path.write_bytes(path.read_bytes()[:-9])
    assert wrong_live(world, tmp_path) == ()
    rewritten(world, tmp_path, log, lambda was: [replace(was[0], key=b"other"), *was[1:]])
    path.write_bytes(path.read_bytes()[:-9])
    (sentence,) = wrong_live(world, tmp_path)
    assert sentence == (
        f"{log}, partition 0, its last digest is not the one that was signed; at which record can't be said, "
        "as the file is not whole"
    )


def test_a_log_without_its_beginning_and_one_that_is_gone(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World(servers=servers, env=servers.environment(), folder=tmp_path_factory.mktemp("world"))
    log, folder = filled(world), tmp_path_factory.mktemp("export")
    made = exported(world, folder)
    admin = AdminClient({"bootstrap.servers": world.env["KAFKA_BOOTSTRAP_SERVERS"]})
    for deleted in admin.delete_records([TopicPartition(log, 0, 1)]).values():
        deleted.result(30)
    assert wrong_live(world, folder) == (f"{log}, partition 0, the log no longer has its beginning",)

    stranger = replace(made, topics={**made.topics, f"{log}.gone": made.topics[log]})
    key = audit_key(world.settings().secrets.id_key)
    (folder / MANIFEST).write_bytes(manifest.sign(key, stranger))
    assert f"{log}.gone: {log}.gone does not exist" in wrong_live(world, folder)[-1]

"""Writes docs/events.md from the catalogue and the schemas, or tells that it no longer fits."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from schemas.avsc import avsc
from schemas.catalogue import CATALOGUE, EventType
from schemas.codes import FAILURES
from schemas.topics import Topics, TopicSpec, topic_specs

FILE: Final = Path(__file__).parents[1] / "docs" / "events.md"

_NAMED_BY: Final = {
    "assets": "asset id",
    "identity": "account key",
    "operations": "preset set or run id",
    "subject_keys": "user id/key id",
}

_HEADERS: Final = (
    ("ce_id", "the event's id"),
    ("ce_type", "its full name"),
    ("ce_source", "the program that said it"),
    ("ce_time", "when it happened"),
    ("ce_subject", "the record's key"),
    ("ce_specversion", "1.0"),
    ("schemaversion", "the version of its schema"),
    ("correlationid", "common to all that one request led to"),
    ("causationid", "the event that led to this one"),
    ("traceparent", "W3C trace context"),
    ("lane", "live or bulk"),
    ("jobid, attempt, willretry", "whose work it tells of, for those who read headers alone"),
)

_INTRODUCTION: Final = """\
# Events

<!-- Made by `python -m ops docs events`; change schemas/ instead. -->

Every event that the log can hold. An event is a fact: it is never changed, and never taken back.
Pictures do not travel in events; the keys and sizes of the objects that hold them do.

## On the wire

A value is a zero byte, the schema's id in four bytes (big-endian), and Avro's binary encoding, as
registry-aware clients read it. Subjects are named `{topic}-{full name}` (TopicRecordNameStrategy). The
partition is that of Java's default partitioner, murmur2 over the key. Headers are text, each stands once:
"""

_SEALED: Final = """\
Fields named `sealed_…` are encrypted under a key of the person they speak of. Once that key is erased,
nobody can read them.

## Topics

With the default prefix and one broker; `TOPIC_PREFIX`, `KAFKA_PARTITIONS` and `KAFKA_REPLICATION`
change that. `python -m ops topics plan` shows all settings.
"""

_CHANGE: Final = """\
## How events may change

- A change is a new file in schemas/avro. A released file is never edited; a test holds its digest.
- Every version reads every other (FULL_TRANSITIVE): a new field has a default, and a field that has none
  stays for ever, under its name and type. The registry refuses anything else, and so do the tests.
- Golden bytes of every version are kept in tests/golden.
- Old records are made new when they are read (schemas/upcasters.py). A newer version of a known event is
  read as far as this program knows it. A type that it does not know is counted and skipped."""


def events(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 where the file differs.")
    ] = False,
) -> None:
    """Write docs/events.md from the catalogue."""
    text = document()
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text:
        typer.echo("docs/events.md is up to date.", err=True)
        return
    if check:
        typer.echo("docs/events.md differs from the catalogue; run `python -m ops docs events`.", err=True)
        raise typer.Exit(1)
    FILE.write_text(text, encoding="utf-8")
    typer.echo("docs/events.md written.", err=True)


def document() -> str:
    """The document as it has to stand in the file."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield from _table(("header", "says"), [(f"`{name}`", says) for name, says in _HEADERS])
    yield _SEALED
    yield from _topics()
    for topic, rows in groupby(CATALOGUE, key=lambda row: row.topic_name(Topics())):
        yield f"## {topic}"
        yield ""
        for row in rows:
            yield from _event(row)
    yield from _codes()
    yield _CHANGE


def _topics() -> Iterator[str]:
    keys = {row.topic_name(Topics()): _NAMED_BY[row.topic] for row in CATALOGUE}
    specs = topic_specs(Topics().prefix, 12, 1)
    rows = [
        (f"`{spec.name}`", keys.get(spec.name, "the record's own"), str(spec.partitions), _kept(spec))
        for spec in specs
    ]
    yield from _table(("topic", "key", "partitions", "kept"), rows)


def _kept(spec: TopicSpec) -> str:
    if spec.config["cleanup.policy"] == "compact":
        return "the last record of each key"
    retention = int(spec.config["retention.ms"])
    return "for ever" if retention < 0 else f"{retention // 86_400_000} days"


def _event(row: EventType) -> Iterator[str]:
    schema: Any = avsc(row, row.newest)
    yield f"### {row.name}"
    yield ""
    yield schema["doc"]
    yield ""
    yield f"- schema: [`{row.full_name}`](../schemas/avro/{row.versions[-1]}), version {row.newest}"
    yield f"- said by: {', '.join(row.producers)}"
    yield f"- heard by: {', '.join(row.consumers)}"
    yield ""
    yield from _table(("field", "type", "says"), list(_fields(schema, "")))


def _fields(schema: Any, path: str) -> Iterator[tuple[str, ...]]:  # noqa: ANN401  # Avro as JSON
    for field in schema["fields"]:
        name = f"{path}{field['name']}"
        yield f"`{name}`", _type(field["type"]), field["doc"]
        match field["type"]:
            case {"type": "record"} as nested:
                yield from _fields(nested, f"{name}.")
            case {"type": "array", "items": {"type": "record"} as nested}:
                yield from _fields(nested, f"{name}[].")
            case _:
                pass


def _type(schema: Any) -> str:  # noqa: ANN401  # as above
    match schema:
        case ["null", inner]:
            return f"{_type(inner)}, or null"
        case {"type": "array", "items": inner}:
            return f"list of {_type(inner)}"
        case {"type": "record"}:
            return "record"
        case {"logicalType": "uuid"}:
            return "id"
        case {"logicalType": "timestamp-micros"}:
            return "time"
        case "long":
            return "number"
        case _:
            return str(schema)


def _codes() -> Iterator[str]:
    yield "## Kinds and codes of failure"
    yield ""
    rows = [(kind, f"`{code}`", says) for kind, codes in FAILURES.items() for code, says in codes.items()]
    yield from _table(("kind", "code", "says"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""

"""How the records of one schema id are read: as written, made new by upcasters, or resolved to our newest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastavro import parse_schema
from fastavro.schema import SchemaParseException, UnknownType

from schemas.avsc import Schema, avsc, bare
from schemas.catalogue import EventType
from schemas.compiled import Build, Plain, compiled
from schemas.decode_errors import WrongSchema
from schemas.straight import Read, straight
from schemas.upcasters import upcast


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterSchema:
    """The schema that some record was written with, as JSON."""

    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Read by the schema `written`, resolve to `wanted` where there is one, then `upcast`, then `build`.

    `version` is None where the writer knew a newer version than we do. `straight` is there where the bytes
    are those of today's class; it may give up on bytes that the other way reads.
    """

    row: EventType
    version: int | None
    written: Any
    wanted: Any
    upcast: Callable[[Plain], Plain] | None
    build: Build
    straight: Read | None


def reader_for(row: EventType, schema: Mapping[str, object]) -> Reader:
    """The reader of records that were written with `schema`, which bears the name of `row`.

    Raises WrongSchema where it is no Avro schema.
    """
    versions = [avsc(row, number) for number in range(1, row.newest + 1)]
    plain = bare(dict(schema))
    version = _version_of(plain, versions)
    cls: type = row.cls
    try:
        written = parse_schema(plain)
    except (SchemaParseException, UnknownType, LookupError, TypeError, ValueError) as error:
        raise WrongSchema(f"{row.full_name}: not an Avro schema") from error
    return Reader(
        row=row,
        version=version,
        written=written,
        wanted=parse_schema(bare(versions[-1])) if version is None else None,
        upcast=None if version in {None, row.newest} else _steps(row, version or 1, versions),
        build=compiled(cls).build,
        straight=straight(cls) if version == row.newest else None,
    )


def _version_of(plain: Schema, versions: Sequence[Schema]) -> int | None:
    same = [number for number, version in enumerate(versions, start=1) if bare(version) == plain]
    return same[-1] if same else None


def _steps(row: EventType, version: int, versions: Sequence[Schema]) -> Callable[[Plain], Plain]:
    return partial(upcast, row.full_name, version, versions=versions)

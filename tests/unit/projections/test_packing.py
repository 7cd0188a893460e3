"""Rows are packed as psycopg would pack them, and every table's types are known."""

import json
import struct
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import postgres
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format
from psycopg.types.json import Jsonb

from projections.assets.projection import TABLE as ASSETS
from projections.assets.projection import listed
from projections.packing import packer
from schemas.events import Variant

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.just("ä" * 3000)
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(timezone(timedelta(hours=-7))),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "bytea": st.binary(max_size=30) | st.just(b"\0" * 5000),
    "date": st.dates(),
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "jsonb": st.dictionaries(TEXTS, TEXTS | st.integers() | st.none() | st.booleans(), max_size=3).map(
        lambda value: Jsonb(value, dumps=_compact)
    ),
    "text": TEXTS,
    "text[]": st.lists(TEXTS, max_size=3),
    "timestamptz": MOMENTS,
    "uuid": st.uuids(),
    "uuid[]": st.lists(st.uuids(), max_size=3),
}
TYPES = sorted(VALUES)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def psycopgs(types: list[str], row: tuple[Any, ...]) -> bytes:
    """The row as psycopg's COPY has it."""
    transformer = Transformer()
    transformer.set_dumper_types([postgres.types.get_oid(name) for name in types], Format.BINARY)
    dumped = transformer.dump_sequence(row, [PyFormat.BINARY] * len(row))
    values = (b"\xff" * 4 if data is None else len(data).to_bytes(4, "big") + bytes(data) for data in dumped)
    return len(row).to_bytes(2, "big") + b"".join(values)


@given(st.data())
def test_a_row_is_packed_as_psycopg_packs_it(data: st.DataObject) -> None:
    row = tuple(data.draw(st.none() | VALUES[name], label=name) for name in TYPES)
    assert packer(tuple(TYPES))(row) == psycopgs(TYPES, row)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_packed_as_psycopg_packs_it(name: str) -> None:
    @given(VALUES[name])
    def same(value: Any) -> None:
        assert packer((name,))((value,)) == psycopgs([name], (value,))

    same()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bool", "yes"),
        ("bytea", "text"),
        ("date", 5),
        ("int4", 2**31),
        ("int8", 2**63),
        ("jsonb", {"a": 1}),
        ("text", b"bytes"),
        ("text", "\ud800"),
        ("text[]", [1]),
        ("timestamptz", datetime(2026, 1, 1)),  # noqa: DTZ001 - the point
        ("timestamptz", date(2026, 1, 1)),
        ("uuid", "0"),
        ("uuid[]", [None]),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises((AttributeError, LookupError, TypeError, ValueError, struct.error)):
        packer((name,))((value,))


@pytest.mark.parametrize("row", [(), (1,), (1, 2, 3)])
def test_a_row_of_another_length_is_refused(row: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="values to unpack"):
        packer(("int8", "int8"))(row)


VARIANTS = st.lists(
    st.builds(
        Variant,
        name=TEXTS,
        object_key=TEXTS,
        content_type=TEXTS,
        width=st.integers(),
        height=st.integers(),
        size=st.integers(),
    ),
    max_size=3,
)


@given(VARIANTS)
def test_variants_are_written_out_as_json_has_them(variants: list[Variant]) -> None:
    names = ("name", "object_key", "content_type", "width", "height", "size")
    assert json.loads(listed(variants)) == [
        {name: getattr(variant, name) for name in names} for variant in variants
    ]
    row = [None] * len(ASSETS.columns)
    at = list(ASSETS.columns).index("variants")
    text = listed(variants)
    ours = packer(tuple(ASSETS.columns.values()))([*row[:at], text, *row[at + 1 :]])
    assert b"\1" + text in ours


def test_an_id_is_sixteen_bytes() -> None:
    assert packer(("uuid",))((UUID(int=5),)) == b"\0\1\0\0\0\x10" + bytes(15) + b"\5"

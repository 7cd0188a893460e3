"""Hostile JSON is refused with a reason, and all other JSON is read as it stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.strict_json import MalformedJson, parse

HOSTILE = {
    "empty": b"",
    "no json": b"hello",
    "cut off": b'{"a": [1, 2',
    "trailing": b"{} {}",
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "minus Infinity": b"[-Infinity]",
    "1e400": b'{"a": 1e400}',
    "-1e400": b"-1e400",
    "5,000 digits": b"[" + b"9" * 5000 + b"]",
    "20 digits": b"12345678901234567890123",
    "a key twice": b'{"a": 1, "a": 2}',
    "a key twice, inside": b'[{"b": {"a": 1, "\\u0061": 2}}]',
    "lone surrogate": b'{"a": "\\ud800"}',
    "lone surrogate in a key": b'{"\\udfff": 1}',
    "NUL": b'["\\u0000"]',
    "NUL in a key": b'{"\\u0000": 1}',
    "raw control character": b'["\x01"]',
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a": 1}'.encode("utf-16-le"),
    "latin-1": '{"a": "é"}'.encode("latin-1"),
    "100,000 deep": b"[" * 100_000,
    "100,000 deep, closed": b"[" * 100_000 + b"]" * 100_000,
    "100,000 deep objects": b'{"a":' * 100_000,
    "too deep": b"[" * 33 + b"]" * 33,
    "a comma too many": b"[1,]",
    "single quotes": b"{'a': 1}",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse(data, max_depth=32)


def test_nesting_is_allowed_up_to_the_depth() -> None:
    assert parse(b"[" * 32 + b"]" * 32, max_depth=32)
    assert parse(b'{"a": [1]}', max_depth=2) == {"a": [1]}
    with pytest.raises(MalformedJson):
        parse(b'{"a": [[]]}', max_depth=2)


def test_the_reason_does_not_quote_the_body() -> None:
    with pytest.raises(MalformedJson) as refused:
        parse(b'{"secret-word": NaN, ', max_depth=32)
    assert "secret" not in str(refused.value)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
).filter(lambda value: "\\u0000" not in json.dumps(value))


@given(VALUES)
def test_what_others_write_is_read_as_they_meant_it(value: object) -> None:
    for ascii_only in (True, False):
        assert parse(json.dumps(value, ensure_ascii=ascii_only).encode(), max_depth=100) == value


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    try:
        parse(data, max_depth=8)
    except MalformedJson:
        return

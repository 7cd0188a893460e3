"""Reading straight gives what fastavro's reading and building give, whatever the bytes."""

from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.asset_state import AssetState
from schemas.avsc import avsc
from schemas.catalogue import by_class
from schemas.codec import Codec, DecodeError, read_slowly
from schemas.lifecycle import evolve
from schemas.readers import Reader, reader_for
from schemas.replacing import replace
from schemas.state_codec import decode_slowly, encode_state
from schemas.straight import read_straight, straight
from tests.golden.examples import EXAMPLES
from tests.unit.schemas.asset_events import completed, issued, ready, requested, started
from tests.unit.schemas.strategies import any_event

CODEC = Codec.local()
HEADER = 5


def reader_of(event: Any) -> Reader:
    row = by_class()[type(event)]
    return reader_for(row, avsc(row, row.newest))


def outcome(read: Any) -> object:
    """The event, or the class of the error, of which a reader of dead letters is told the code."""
    try:
        return read()
    except DecodeError as error:
        return type(error)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_what_we_write_is_read_straight(event: Any) -> None:
    cls: type = type(event)
    assert read_straight(straight(cls), CODEC.encode(event), HEADER) == event


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_a_byte_that_was_altered_is_read_as_fastavro_reads_it(event: Any) -> None:
    """Each byte in turn: among them sizes of ids, branches, ends of arrays; a zero is a NUL in a text."""
    reader, value = reader_of(event), CODEC.encode(event)
    for at, byte in product(range(HEADER, len(value)), (None, 0)):
        altered = value[:at] + bytes([value[at] ^ 2 if byte is None else byte]) + value[at + 1 :]
        slow = outcome(partial(read_slowly, reader, altered))
        assert outcome(partial(CODEC.decode, altered)) == slow


@given(any_event(), st.data())
def test_bytes_that_were_altered_are_read_as_fastavro_reads_them(event: Any, data: st.DataObject) -> None:
    value = CODEC.encode(event)
    at = data.draw(st.integers(HEADER, len(value) - 1))
    gone = data.draw(st.integers(0, 3))
    altered = value[:at] + data.draw(st.binary(max_size=3)) + value[at + gone :]
    slow = outcome(lambda: read_slowly(reader_of(event), altered))
    assert outcome(lambda: CODEC.decode(altered)) == slow


def test_states_are_read_straight_too() -> None:
    state: AssetState | None = None
    for event in (requested(0), completed(1), started(2), ready(3), issued(4)):
        state = evolve(state, event)
        assert state is not None
        kept = encode_state(state)
        assert read_straight(straight(AssetState), kept, 0) == state == decode_slowly(AssetState, kept)


def test_versions_that_were_met_before_are_told_from_others() -> None:
    """The last ones are remembered by their bytes: others, and some cut short, are read for themselves."""
    event: Any = next(one for one in EXAMPLES if hasattr(one, "encoder"))
    other = replace(event, encoder=replace(event.encoder, simd=event.encoder.simd + "x"))
    shorter = replace(event, encoder=replace(event.encoder, simd=""))
    for one in (event, event, other, shorter, other, event):
        assert CODEC.decode(CODEC.encode(one)) == one
    value = CODEC.encode(event)
    for end in range(HEADER, len(value)):
        with pytest.raises(DecodeError):
            CODEC.decode(value[:end])
    assert CODEC.decode(value) == event

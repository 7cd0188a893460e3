"""Clock and ids, failpoints, ids that repeat, traces."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.clock import FixedClock, SystemClock, new_id
from adapters.failpoints import FailpointHit, Failpoints, InvalidFailpoint
from adapters.owners import deterministic_id, owner_id
from adapters.telemetry import continued, new_trace, parse_traceparent

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_system_clock_tells_universal_time() -> None:
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert SystemClock().now().tzinfo is UTC


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(hours=1))
    assert clock.now() == clock.now() == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_new_ids_are_of_version_7_and_sort_by_time() -> None:
    first = new_id()
    time.sleep(0.002)
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert first < min(ids)
    assert {(made.version, made.variant) for made in ids} == {(7, "specified in RFC 4122")}
    assert abs((first.int >> 80) / 1000 - time.time()) < 5


def test_no_failpoints_do_nothing() -> None:
    Failpoints().hit("anything")
    Failpoints("one=raise").hit("another")


def test_a_failpoint_raises_each_time_or_at_one_hit() -> None:
    always, third = Failpoints("a.b=raise"), Failpoints("a.b=raise@3")
    for _ in range(2):
        with pytest.raises(FailpointHit, match=r"a\.b"):
            always.hit("a.b")
        third.hit("a.b")
    with pytest.raises(FailpointHit):
        third.hit("a.b")
    third.hit("a.b")


def test_a_failpoint_stalls() -> None:
    began = time.monotonic()
    Failpoints("x=sleep:0.2").hit("x")
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("action", "status"), [("kill", -9), ("exit", 1)])
def test_a_failpoint_ends_the_process_without_a_word(action: str, status: int) -> None:
    program = (
        "import atexit; from adapters.failpoints import Failpoints; atexit.register(print, 'no');"
        f"points = Failpoints('x={action}@2,y=raise'); points.hit('x');"
        "print('first', flush=True); points.hit('x')"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (status, "first\n")


def test_a_failpoint_freezes_the_process_until_it_is_thawed() -> None:
    program = "from adapters.failpoints import Failpoints; Failpoints('x=stop').hit('x'); print('awake')"
    frozen = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    _, status = os.waitpid(frozen.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    frozen.send_signal(signal.SIGCONT)
    assert frozen.communicate(timeout=20)[0] == b"awake\n"


@pytest.mark.parametrize(
    "spec", ["x", "x=", "x=die", "x=sleep", "x=sleep:a", "x=kill:1", "x=kill@0", "X=kill", "x=sleep:1.2.3"]
)
def test_a_failpoint_in_no_known_form_is_refused(spec: str) -> None:
    with pytest.raises(InvalidFailpoint):
        Failpoints(spec)


@given(st.lists(st.text() | st.binary(), max_size=4), st.lists(st.text() | st.binary(), max_size=4))
def test_ids_repeat_for_the_same_parts_and_differ_for_others(
    one: list[str | bytes], other: list[str | bytes]
) -> None:
    def encoded(parts: list[str | bytes]) -> list[bytes]:
        return [part.encode() if isinstance(part, str) else part for part in parts]

    same = encoded(one) == encoded(other)
    assert (deterministic_id(b"secret", *one) == deterministic_id(b"secret", *other)) == same
    assert deterministic_id(b"secret", *one) != deterministic_id(b"another", *one)


def test_an_owner_has_one_id_that_only_the_secret_tells() -> None:
    made = owner_id("ada", b"secret")
    assert made == owner_id("ada", b"secret")
    assert made != owner_id("ben", b"secret")
    assert (made.version, made.variant) == (8, "specified in RFC 4122")
    # Stays as it is for ever: whoever changes it takes everybody's pictures away.
    assert made == UUID("9ed7016b-9bec-8959-8f6b-2bf7715258b4")


def test_a_trace_goes_on_below_its_parent() -> None:
    parent = parse_traceparent(TRACEPARENT)
    assert parent is not None
    assert parent.traceparent == TRACEPARENT
    child = continued(TRACEPARENT)
    assert child.trace_id == parent.trace_id
    assert child.span_id != parent.span_id
    assert parse_traceparent(child.traceparent) == child


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "garbage",
        TRACEPARENT.upper(),
        TRACEPARENT + "-x",
        TRACEPARENT.replace("00-", "ff-", 1),
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        "01-" + TRACEPARENT[3:] + "-" + "x" * 300,
        TRACEPARENT + "\n",
    ],
)
def test_what_is_no_traceparent_begins_a_new_trace(text: str | None) -> None:
    assert parse_traceparent(text) is None
    assert continued(text).trace_id != new_trace().trace_id


def test_a_later_version_of_the_header_is_read_as_far_as_it_is_known() -> None:
    parsed = parse_traceparent("01-" + TRACEPARENT[3:] + "-more")
    assert parsed is not None
    assert parsed.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert not (parse_traceparent(TRACEPARENT[:-1] + "0") or parsed).sampled

"""What is said between parent and child: the same on both ends, and nothing believed that is out of place."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.imaging.contract import DEFAULT_PRESETS, Limits, Preset
from processors.sandbox import wire
from processors.sandbox.wire import Declined, Failed, Garbled, NoMemory, Request
from tests.unit.sandbox.hostile import FILE, honest

REQUEST = Request(size=7, presets=DEFAULT_PRESETS, limits=Limits(), expected_sha256="a" * 64)
MADE = honest(REQUEST)
TAKEN_AT = datetime(2024, 6, 1, 17, 45, 9, 250_000)  # noqa: DTZ001 - a camera's wall clock
FULL = replace(MADE, facts=replace(MADE.facts, taken_at=TAKEN_AT, metadata={"gps": {"latitude": 1.5}}))


def test_requests_arrive_as_they_were_sent() -> None:
    more = Preset(name="x", width=3, height=4, fit="cover", formats=("auto", "avif"), quality=7)
    request = replace(REQUEST, presets=(*DEFAULT_PRESETS, more), limits=Limits(max_pixels=5))
    assert wire.load_request(wire.dump_request(request)) == request


@pytest.mark.parametrize(
    "reply", [FULL, MADE, Declined(code="corrupt"), NoMemory(), Failed(where="X at y:1")]
)
def test_replies_arrive_as_they_were_sent(reply: wire.Reply) -> None:
    assert wire.load_reply(wire.dump_reply(reply), REQUEST, len(FILE)) == reply


def changed(*path: str | int, value: object) -> Callable[[], dict[str, Any]]:
    """The full reply with another value somewhere."""

    def change() -> dict[str, Any]:
        whole: dict[str, Any] = json.loads(wire.dump_reply(FULL))
        at: Any = whole
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
        return whole

    return change


LIES = {
    "kind": changed("kind", value="Praised"),
    "a variant too few": changed("variants", value=[]),
    "another name": changed("variants", 0, "name", value="../large"),
    "beyond the output": changed("variants", 0, "size", value=len(FILE) + 1),
    "behind the output": changed("variants", 0, "offset", value=len(FILE)),
    "before the output": changed("variants", 0, "offset", value=-1),
    "nothing": changed("variants", 0, "size", value=0),
    "truth for a number": changed("variants", 0, "size", value=True),
    "a format": changed("variants", 0, "format", value="svg"),
    "a huge side": changed("variants", 0, "width", value=70_000),
    "a digest": changed("variants", 0, "sha256", value="z" * 64),
    "a source format": changed("source", "format", value="<b>"),
    "a profile": changed("source", "profile", value="Ann's own"),
    "an orientation": changed("source", "orientation", value=9),
    "frames": changed("source", "frames", value=10**9),
    "a hash": changed("facts", "thumbhash", value="00" * 100),
    "no hash": changed("facts", "thumbhash", value="xyz"),
    "a time": changed("facts", "taken_at", value="yesterday"),
    "metadata": changed("facts", "metadata", value=[1]),
    "a cost": changed("cost", "cpu_ms", value=-1.0),
    "no number": changed("cost", "wall_ms", value=float("nan")),
    "memory": changed("cost", "peak_rss_kib", value=1 << 60),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_noticed(lie: str) -> None:
    with pytest.raises(Garbled):
        wire.load_reply(json.dumps(LIES[lie]()).encode(), REQUEST, len(FILE))


def test_texts_are_made_harmless() -> None:
    told = changed("facts", "camera", value="a\r\nb\x1b[31m")()
    told["facts"]["metadata"] = {"exif": {"Artist": "x\x00\u202ey" + "z" * 9_000}}
    reply = wire.load_reply(json.dumps(told).encode(), REQUEST, len(FILE))
    assert isinstance(reply, wire.Made)
    assert reply.facts.camera == "a b [31m"
    assert len(json.dumps(reply.facts.metadata)) < 1_000


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(text: bytes) -> None:
    try:
        wire.load_reply(text, REQUEST, len(FILE))
    except Garbled:
        return
    assert json.loads(text)

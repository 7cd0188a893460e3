"""Security events are a closed list: each is said somewhere, and explained to whoever watches (L03)."""

import re
from pathlib import Path
from typing import get_args

import structlog
from prometheus_client import generate_latest

from adapters.telemetry.labels import SecurityEvent
from api.security_events import say
from tests.unit.api.doors import Stage

ROOT = Path(__file__).parents[3]
EVENTS = frozenset(get_args(SecurityEvent))


def test_l03_each_event_is_said_somewhere() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "api").rglob("*.py"))
    assert set(re.findall(r"\bsay\(\s*(?:self\._)?parts,\s*\"(\w+)\"", sources)) == EVENTS


def test_l03_each_event_is_explained() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    assert {name for name in EVENTS if f"`{name}`" not in page} == set()


async def test_l03_an_event_is_a_line_and_a_count_and_begins_at_nothing(on: Stage) -> None:
    told = generate_latest(on.metrics.registry).decode()
    assert all(f'darkroom_security_events_total{{event="{name}"}} 0.0' in told for name in EVENTS)
    with structlog.testing.capture_logs() as lines:
        say(on.parts, "role_changed", user_id="x", session_id=None)
    assert lines == [{"event": "role_changed", "log_level": "warning", "security": True, "user_id": "x"}]

"""`python -m ops state`: what can be no moment of the past is refused before any server is asked."""

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from ops.__main__ import commands
from schemas.positions import Position

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
ELSEWHERE = Position(topic="darkroom.identity.v1", partition=0, offset=7).token()
NOBODY = "127.0.0.1:9"


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("yesterday", "neither an instant nor a position"),
        ("2026-05-01T12:00:00", "needs its zone"),
        (TOMORROW, "lies in the future"),
        (ELSEWHERE, "darkroom.identity.v1"),
    ],
    ids=["words", "no zone", "tomorrow", "another log"],
)
def test_what_is_no_moment_of_the_past_is_a_mistake_in_the_command(at: str, says: str) -> None:
    nowhere = {
        "COLUMNS": "200",
        "DATABASE_URL": f"postgresql://nobody@{NOBODY}/nowhere",
        "KAFKA_BOOTSTRAP_SERVERS": NOBODY,
        "SCHEMA_REGISTRY_URL": f"http://{NOBODY}",
    }
    done = CliRunner().invoke(commands("state"), ("state", "--at", at), env=nowhere, catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr

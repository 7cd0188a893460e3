"""A09: a secret is replaced in steps between which no process refuses what its neighbour signed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from adapters.clock import FixedClock
from adapters.settings import NamedSecret
from adapters.settings.secrets import named_secrets
from api.credentials.access_tokens import AccessTokens
from ops.keys import app, following

NOW = datetime(2026, 5, 17, 8, 9, 10, tzinfo=UTC)


def rings(text: str) -> list[tuple[NamedSecret, ...]]:
    """The list as it is, and after each step of two whole rotations, a day between steps."""
    made, now = [named_secrets(text)], NOW
    for _ in range(6):
        made.append(following(made[-1], now=now).ring)
        now += timedelta(days=1)
    return made


def tokens(ring: tuple[NamedSecret, ...]) -> AccessTokens:
    clock = FixedClock(NOW)
    return AccessTokens(ring, issuer="i", audience="a", life=timedelta(minutes=15), clock=clock)


def mint(ring: tuple[NamedSecret, ...]) -> str:
    return tokens(ring).mint(user_id=uuid4(), session_id=uuid4(), role="user", version=1, position="")


@pytest.mark.parametrize(
    "text", ["a bare secret of some length or more", f"first:{'o' * 32}", f"a:{'p' * 32},b:{'q' * 32}"]
)
def test_neighbours_in_a_rolling_restart_believe_each_other(text: str) -> None:
    for before, after in pairwise(rings(text)):
        assert tokens(before).read(mint(after)) is not None
        assert tokens(after).read(mint(before)) is not None


def test_each_rotation_ends_with_a_secret_that_was_not_there_before() -> None:
    made = rings("a bare secret of some length")
    assert [len(ring) for ring in made] == [1, 2, 2, 1, 2, 2, 1]
    assert len({ring[0].secret for ring in (made[0], made[3], made[6])}) == 3
    assert len(made[3][0].secret) >= 32


def test_the_file_is_changed_in_place_and_nothing_secret_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text("PORT=1\nJWT_SECRET=old:a-secret\nLOG_LEVEL=info\n")
    steps = []
    for _ in range(3):
        result = CliRunner().invoke(app, ["rotate", "--env-file", str(file), "--json"])
        assert result.exit_code == 0, result.output
        assert "a-secret" not in result.stdout
        steps.append(result.stdout)
    assert [step for said in steps for step in ("introduce", "promote", "retire") if step in said] == [
        "introduce",
        "promote",
        "retire",
    ]
    lines = file.read_text().splitlines()
    assert (lines[0], lines[2]) == ("PORT=1", "LOG_LEVEL=info")
    assert lines[1].startswith("JWT_SECRET=k")
    assert "a-secret" not in lines[1]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_does_not_set_it_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "other.env"
    file.write_text("PORT=1\n")
    result = CliRunner().invoke(app, ["rotate", "TOKEN_SECRET", "--env-file", str(file)])
    assert result.exit_code == 3
    assert file.read_text() == "PORT=1\n"

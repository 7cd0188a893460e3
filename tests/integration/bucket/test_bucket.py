"""`python -m ops bucket create` on a real store: made once, and there ever after."""

import json
import secrets
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.__main__ import commands
from tests.programs import free_port
from tests.servers import Servers


def create(monkeypatch: pytest.MonkeyPatch, servers: Servers, **more: str) -> Any:
    for name, value in {**servers.addresses, **more}.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(commands("bucket"), ["bucket", "create", "--wait", "0.2", "--json"])


def test_a_bucket_is_made_once(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"b-{secrets.token_hex(6)}"
    answers = [create(monkeypatch, servers, S3_BUCKET=name) for _ in range(2)]
    assert [json.loads(answer.stdout) for answer in answers] == [
        {"bucket": name, "created": True},
        {"bucket": name, "created": False},
    ]


def test_a_store_that_is_away_is_said(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = create(monkeypatch, servers, S3_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "can't be reached" in answer.stderr


def test_a_store_that_refuses_is_said(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = create(monkeypatch, servers, S3_SECRET_KEY="another-secret-than-the-store-has")
    assert (answer.exit_code, answer.stdout) == (3, "")
    assert "refuses" in answer.stderr

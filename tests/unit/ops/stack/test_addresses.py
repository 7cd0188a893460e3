"""Ports, secrets and the file of addresses."""

import base64
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from adapters.settings import load_settings
from adapters.settings.loading import STACK_NAMES
from ops.stack.environment import (
    complete_environment,
    external_addresses,
    given_settings,
    read_environment,
    server_addresses,
    write_environment,
)
from ops.stack.failures import PortTaken, StackFailure, Unsuited
from ops.stack.folder import folder_of
from ops.stack.ports import SERVERS, SETTING_OF, Ports, choose_ports, is_free
from ops.stack.products import inherited
from ops.stack.secrets import DEMO_OWNERS, folder_secrets, new_secrets
from ops.stack.settings import StackSettings, load_stack_settings, own_names

# What issue and design promise to whoever sources the file.
PROMISED = {
    *("DARKROOM_URL", "DARKROOM_ENV", "PORT", "KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL"),
    *("DATABASE_URL", "S3_ENDPOINT", "S3_PUBLIC_ENDPOINT", "S3_BUCKET", "S3_REGION", "S3_ACCESS_KEY"),
    *("S3_SECRET_KEY", "API_KEYS", "MASTER_KEY", "ID_SECRET", "ACCOUNT_KEY_SECRET", "TOKEN_SECRET"),
    *("JWT_SECRET", "JWT_REFRESH_SECRET", "API_METRICS_URL", "WORKER_METRICS_URL", "PROJECTOR_METRICS_URL"),
    *("PURGE_METRICS_URL", "ERASURES_METRICS_URL", "PROGRAM_URLS"),
}
ALL_FREE = {setting.lower(): 0 for setting in SETTING_OF.values()}


def settings(**changes: object) -> StackSettings:
    return StackSettings.model_validate({**ALL_FREE, **changes})


def environment(kept: Mapping[str, str]) -> dict[str, str]:
    chosen = settings()
    ports = choose_ports(chosen)
    return complete_environment(chosen, ports, kept, server_addresses(chosen, ports, kept))


def test_zero_means_any_free_port_and_none_twice() -> None:
    ports = choose_ports(settings())
    numbers = [getattr(ports, name) for name in Ports.__slots__]
    assert len(set(numbers)) == len(numbers) == len(fields(Ports))
    assert all(is_free(number) for number in numbers)


def test_a_taken_port_is_named_with_its_holder_and_its_setting() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(
            PortTaken, match=rf"Port {port}, .*kafka.*\(pid \d+\).*DARKROOM_KAFKA_PORT=NUMBER"
        ):
            choose_ports(settings(darkroom_kafka_port=port))
        only_ours = frozenset({"api"})
        assert choose_ports(settings(darkroom_kafka_port=port), needed=only_ours).kafka == port


def test_two_settings_may_not_name_one_port() -> None:
    with pytest.raises(PortTaken, match="DARKROOM_STORE_PORT is 23456, and so is another"):
        choose_ports(settings(darkroom_registry_port=23456, darkroom_store_port=23456), needed=SERVERS)


def test_a_port_that_is_none_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_KAFKA_PORT", "many")
    with pytest.raises(StackFailure, match="DARKROOM_KAFKA_PORT"):
        load_stack_settings()


def test_home_wins_and_holds_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_HOME", "/nowhere")
    monkeypatch.delenv("DARKROOM_CACHE", raising=False)
    folder = folder_of(load_stack_settings(tmp_path))
    assert folder.root == tmp_path / ".darkroom"
    assert folder.cache == tmp_path / ".darkroom" / "cache"
    folder.create()
    private = (folder.data, folder.config, folder.logs, folder.state)
    assert [path.stat().st_mode & 0o077 for path in private] == [0, 0, 0, 0]
    monkeypatch.setenv("DARKROOM_CACHE", str(tmp_path / "shared"))
    assert folder_of(load_stack_settings(tmp_path)).cache == tmp_path / "shared"


def test_the_environment_is_complete_and_every_process_takes_it() -> None:
    full = environment(new_secrets())
    assert full.keys() >= PROMISED
    assert all(full.values())
    told = load_settings(full)
    assert [key.owner for key in told.secrets.api_keys] == list(DEMO_OWNERS)
    assert {key.role for key in told.secrets.api_keys} == {"user"}
    assert told.doors.port == int(full["PORT"])


def test_secrets_are_long_enough_and_never_twice_the_same() -> None:
    one, other = new_secrets(), new_secrets()
    assert all(one[name] != other[name] for name in one)
    assert len(base64.b64decode(one["MASTER_KEY"].partition(":")[2])) == 32
    for name in ("ID_SECRET", "ACCOUNT_KEY_SECRET", "TOKEN_SECRET", "JWT_SECRET", "JWT_REFRESH_SECRET"):
        text = one[name].rpartition(":")[2]
        assert len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) >= 32


def test_a_folder_keeps_its_secrets_and_gains_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = folder_secrets(path)
    assert folder_secrets(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text().replace('"ID_SECRET"', '"OLD_SECRET"'))
    second = folder_secrets(path)
    assert second["ID_SECRET"] != first["ID_SECRET"]
    assert {k: v for k, v in second.items() if k != "ID_SECRET"} == {
        k: v for k, v in first.items() if k != "ID_SECRET"
    }


def test_a_shell_reads_the_file_as_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "env"
    written = {**environment(new_secrets()), "CORS_ORIGIN": "https://a.example, it's $HOME `x`"}
    path.touch(mode=0o644)
    write_environment(path, written)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_environment(path) == written
    shown = subprocess.run(
        ["sh", "-c", f'set -a; . "{path}"; exec env -0'], env={}, capture_output=True, check=True, text=True
    )
    seen = dict(pair.split("=", 1) for pair in shown.stdout.split("\0") if pair)
    assert {name: seen[name] for name in written} == written


def test_external_servers_are_taken_from_the_environment_or_asked_for() -> None:
    given = environment(new_secrets())
    del given["S3_PUBLIC_ENDPOINT"], given["S3_REGION"]
    found = external_addresses(given)
    assert found["DATABASE_URL"] == given["DATABASE_URL"]
    assert found["S3_PUBLIC_ENDPOINT"] == given["S3_ENDPOINT"]
    del given["DATABASE_URL"]
    given["S3_BUCKET"] = ""
    with pytest.raises(Unsuited, match="set DATABASE_URL, S3_BUCKET"):
        external_addresses(given)


def test_what_the_person_set_for_all_processes_reaches_all_and_stands_in_the_file() -> None:
    environ = {"TOPIC_PREFIX": "mine", "LOG_LEVEL": "", "STATE_DIR": "/x", "PORT": "1", "PATH": "/bin"}
    assert given_settings(environ) == {"TOPIC_PREFIX": "mine"}


def test_our_own_names_are_known_to_the_settings_and_kept_from_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert own_names() <= set(STACK_NAMES)
    monkeypatch.setenv("DARKROOM_KAFKA_PORT", "1")
    assert "DARKROOM_KAFKA_PORT" not in inherited()

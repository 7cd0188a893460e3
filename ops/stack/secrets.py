"""The random secrets of one embedded stack: made once, kept in a file that only its owner reads."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.private_files import write_private

DEMO_OWNERS = ("ada", "ben")


def _token() -> str:
    return secrets.token_urlsafe(32)


def _master_key() -> str:
    return f"m1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _api_keys() -> str:
    return ",".join(f"dk_{owner}_{secrets.token_urlsafe(24)}:{owner}:user" for owner in DEMO_OWNERS)


MAKERS: Mapping[str, Callable[[], str]] = {
    "API_KEYS": _api_keys,
    "MASTER_KEY": _master_key,
    "ID_SECRET": _token,
    "ACCOUNT_KEY_SECRET": _token,
    "TOKEN_SECRET": lambda: f"t1:{_token()}",
    "JWT_SECRET": _token,
    "JWT_REFRESH_SECRET": _token,
    "S3_ACCESS_KEY": lambda: f"DK{secrets.token_hex(9).upper()}",
    "S3_SECRET_KEY": _token,
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(24),
}


def new_secrets() -> dict[str, str]:
    """A complete fresh set, by setting name."""
    return {name: make() for name, make in MAKERS.items()}


def folder_secrets(path: Path) -> dict[str, str]:
    """The folder's secrets; what is missing is made and kept. The file's mode is 0600."""
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    full = {name: kept.get(name) or make() for name, make in MAKERS.items()}
    if full != kept:
        write_private(path, json.dumps(full, indent=1) + "\n")
    return full

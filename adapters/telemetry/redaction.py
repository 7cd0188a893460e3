"""Keeps secrets and control characters out of log lines."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from adapters.settings import Settings

SECRET_MARK: Final = "[secret]"
ADDRESS_MARK: Final = "[address]"
_LONGEST_TEXT: Final = 4096
_LOOKED_AT: Final = 2 * _LONGEST_TEXT
_DEEPEST: Final = 6
_MOST_ITEMS: Final = 100

_SECRET_NAMES: Final = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|signature|credential|master_?key|private_?key|prompt",
    re.IGNORECASE,
)
# What a form can't be without (in lower case), the form, and what stands in its place. Most texts are short
# and plain, and looking for a word costs a fraction of trying an expression.
_SECRET_FORMS: Final[tuple[tuple[str, re.Pattern[str], str], ...]] = (
    ("bearer", re.compile(r"\b(Bearer)\s+[^\s\"',;]+", re.IGNORECASE), rf"\1 {SECRET_MARK}"),
    ("basic", re.compile(r"\b(Basic)\s+[^\s\"',;]+", re.IGNORECASE), rf"\1 {SECRET_MARK}"),
    ("@", re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{SECRET_MARK}@"),
    (
        "=",
        re.compile(
            r"\b(X-Amz-(?:Signature|Credential|Security-Token)|signature|token|ticket|password|secret|api_?key)"
            r"=[^&\s\"']+",
            re.IGNORECASE,
        ),
        rf"\1={SECRET_MARK}",
    ),
    ("eyj", re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), SECRET_MARK),
    # Refresh tokens, issued keys, hashes of passwords.
    ("dr1.", re.compile(r"\bdr1\.[\w.-]+"), SECRET_MARK),
    ("drk_", re.compile(r"\bdrk_[\w-]+"), SECRET_MARK),
    ("$argon2", re.compile(r"\$argon2[^\s\"']+"), SECRET_MARK),
    # Whose address it is is nobody's business; errors of libraries quote what they stumbled over.
    ("@", re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,63}"), ADDRESS_MARK),
)


class Redactor:
    """A structlog processor; the last before a line is rendered, so that nothing is added behind it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Beside secret names and forms, these very texts are hidden wherever they stand."""
        self._known = sorted({secret for secret in secrets if len(secret) >= 8}, key=len, reverse=True)

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> dict[str, object]:
        """The event without secrets, its texts and nesting bounded."""
        return {self.text(name): self._value(name, value, 0) for name, value in event.items()}

    def _value(self, name: str, value: object, depth: int) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case _ if _is_secret(name):
                return SECRET_MARK
            case str():
                return self.text(value)
            case Mapping() if depth < _DEEPEST:
                items = list(value.items())[:_MOST_ITEMS]
                return {self.text(str(k)): self._value(str(k), v, depth + 1) for k, v in items}
            case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
                return [self._value(name, item, depth + 1) for item in list(value)[:_MOST_ITEMS]]
            case bytes() | bytearray() | memoryview():
                return f"<{len(value)} bytes>"  # what bytes hold is nobody's business in a log
            case _:
                return self.text(str(value))

    def text(self, value: str) -> str:
        """The text without what is known, or looks, to be secret."""
        long = len(value) > _LONGEST_TEXT
        value = value[:_LOOKED_AT]  # beyond the cut, so that no half of a secret stands before it
        for secret in self._known:
            if secret in value:
                value = value.replace(secret, SECRET_MARK)
        lowered = value.lower()
        for needed, form, instead in _SECRET_FORMS:
            if needed in lowered:
                value = form.sub(instead, value)
        return value[:_LONGEST_TEXT] + "…" if long else value


@lru_cache(1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def secrets_of(settings: Settings) -> Iterator[str]:
    """Every secret of the settings that is a text."""
    secrets, store = settings.secrets, settings.store
    yield secrets.id_secret.get_secret_value()
    yield secrets.account_key_secret.get_secret_value()
    yield store.secret_key.get_secret_value()
    for ring in (secrets.token_secrets, secrets.jwt_secrets, secrets.jwt_refresh_secrets):
        for named in ring:
            yield named.secret.decode()
    for master in secrets.master_keys:
        yield base64.b64encode(master.key).decode()
    yield urlsplit(settings.postgres.url.get_secret_value()).password or ""
    for optional in (settings.kafka.password, settings.registry.credentials):
        if optional is not None:
            yield optional.get_secret_value()

"""Keeps secrets and control characters out of log lines."""

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final

from adapters.settings import Settings

SECRET_MARK: Final = "[secret]"
_LONGEST_TEXT: Final = 4096
_DEEPEST: Final = 6
_MOST_ITEMS: Final = 100

_SECRET_NAMES: Final = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|signature|credential|master_?key|private_?key|prompt",
    re.IGNORECASE,
)
_SECRET_FORMS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"\b(Bearer|Basic)\s+[^\s\"',;]+", re.IGNORECASE), rf"\1 {SECRET_MARK}"),
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{SECRET_MARK}@"),
    (
        re.compile(
            r"\b(X-Amz-(?:Signature|Credential|Security-Token)|signature|token|ticket|password|secret|api_?key)"
            r"=[^&\s\"']+",
            re.IGNORECASE,
        ),
        rf"\1={SECRET_MARK}",
    ),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), SECRET_MARK),
)


class Redactor:
    """A structlog processor; the last before a line is rendered, so that nothing is added behind it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Beside secret names and forms, these very texts are hidden wherever they stand."""
        known = sorted({secret for secret in secrets if len(secret) >= 8}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> dict[str, object]:
        """The event without secrets, its texts and nesting bounded."""
        return {self.text(name): self._value(name, value, 0) for name, value in event.items()}

    def _value(self, name: str, value: object, depth: int) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case _ if _SECRET_NAMES.search(name):
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
        if len(value) > _LONGEST_TEXT:
            value = value[:_LONGEST_TEXT] + "…"
        if self._known is not None:
            value = self._known.sub(SECRET_MARK, value)
        for form, instead in _SECRET_FORMS:
            value = form.sub(instead, value)
        return value


def secrets_of(settings: Settings) -> Iterator[str]:
    """Every secret of the settings that is a text."""
    secrets, store = settings.secrets, settings.store
    yield secrets.id_secret.get_secret_value()
    yield secrets.account_key_secret.get_secret_value()
    yield store.secret_key.get_secret_value()
    for ring in (secrets.token_secrets, secrets.jwt_secrets, secrets.jwt_refresh_secrets):
        for named in ring:
            yield named.secret.decode()
    for optional in (settings.kafka.password, settings.registry.credentials):
        if optional is not None:
            yield optional.get_secret_value()

"""What is unsafe about a set of settings: warnings in development, refusals in production."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from adapters.settings.doors import DoorSettings
from adapters.settings.fields import is_loopback
from adapters.settings.programs import RuntimeSettings
from adapters.settings.secrets import DEVELOPMENT_MASTER_KEY, DEVELOPMENT_SECRET, SecretSettings, master_keys
from adapters.settings.servers import (
    DEVELOPMENT_STORE_SECRET,
    KafkaSettings,
    PostgresSettings,
    RegistrySettings,
    StoreSettings,
)

_SHORTEST_SECRET: Final = 32
_FEWEST_CHARACTERS: Final = 10  # "aaaa…" and "abab…" are long, and no secrets
_SAFE_SSL_MODES: Final = frozenset({"require", "verify-ca", "verify-full"})
_PUBLISHED: Final = frozenset(
    {
        DEVELOPMENT_SECRET,
        # The sample key of FastAPI's tutorial, found in every list of weak secrets.
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    }
)
# What stands in examples for a secret, such as jwt.io's "your-256-bit-secret"; chance makes none of these.
_PLACEHOLDER: Final = re.compile(
    r"change.?(me|this|it)|example|password|secret|your[-_ ]|default|123456", re.IGNORECASE
)


def weaknesses(
    runtime: RuntimeSettings,
    kafka: KafkaSettings,
    registry: RegistrySettings,
    postgres: PostgresSettings,
    store: StoreSettings,
    secrets: SecretSettings,
    doors: DoorSettings,
) -> Iterator[str]:
    """Says in a sentence each what must not be so in production."""
    if runtime.failpoints:
        yield "FAILPOINTS must be empty: they let anybody who sets them kill the process."
    if kafka.replication < 3:
        yield f"KAFKA_REPLICATION is {kafka.replication}: set it to 3 or more, or a broken disk loses events."
    if "*" in doors.allowed_hosts:
        yield "ALLOWED_HOSTS must name the hosts that users reach us by, not every host."
    if "*" in doors.trusted_proxies:
        yield "TRUSTED_PROXIES must name our proxies: whoever is believed can claim any network as its own."
    yield from _secrets(secrets, store)
    yield from _transport(kafka, registry, postgres, store, doors)


def _secrets(secrets: SecretSettings, store: StoreSettings) -> Iterator[str]:
    texts = list(_secret_texts(secrets))
    for name, text in texts:
        if text in _PUBLISHED or _PLACEHOLDER.search(text):
            yield f"{name} is missing or a published example: set it to 32 random bytes or more."
        elif len(text) < _SHORTEST_SECRET or len(set(text)) < _FEWEST_CHARACTERS:
            yield f"{name} is too weak: use 32 random characters or more."
    uses = Counter(text for text, _ in {(text, name) for name, text in texts})
    for text, count in uses.items():
        if count > 1 and text not in _PUBLISHED:
            names = ", ".join(sorted({name for name, other in texts if other == text}))
            yield f"{names} are the same: give each a secret of its own."
    if secrets.master_keys == master_keys(DEVELOPMENT_MASTER_KEY):
        yield "MASTER_KEY is missing: set it to id:base64 of 32 random bytes, and keep a copy safe."
    elif any(len(set(key.key)) < _FEWEST_CHARACTERS for key in secrets.master_keys):
        yield "MASTER_KEY is too weak: make its 32 bytes at random."
    if any(key.length < _SHORTEST_SECRET for key in secrets.api_keys):
        yield "API_KEYS holds a key that is too weak: use 32 random characters or more for each."
    if store.secret_key.get_secret_value() == DEVELOPMENT_STORE_SECRET:
        yield "S3_SECRET_KEY is missing: set it to the store's secret access key."


def _secret_texts(secrets: SecretSettings) -> Iterator[tuple[str, str]]:
    yield "ID_SECRET", secrets.id_secret.get_secret_value()
    yield "ACCOUNT_KEY_SECRET", secrets.account_key_secret.get_secret_value()
    for name, ring in (
        ("TOKEN_SECRET", secrets.token_secrets),
        ("JWT_SECRET", secrets.jwt_secrets),
        ("JWT_REFRESH_SECRET", secrets.jwt_refresh_secrets),
    ):
        for secret in ring:
            yield name, secret.secret.decode()


def _transport(
    kafka: KafkaSettings,
    registry: RegistrySettings,
    postgres: PostgresSettings,
    store: StoreSettings,
    doors: DoorSettings,
) -> Iterator[str]:
    if not kafka.encrypted and not all(
        is_loopback(server.rpartition(":")[0]) for server in kafka.bootstrap_servers.split(",")
    ):
        yield "KAFKA_SECURITY_PROTOCOL must be ssl or sasl_ssl for brokers on other machines."
    database = urlsplit(postgres.url.get_secret_value())
    mode = parse_qs(database.query).get("sslmode", [""])[-1]
    if mode not in _SAFE_SSL_MODES and not is_loopback(database.hostname):
        yield "DATABASE_URL must say sslmode=require (or verify-full) for a server on another machine."
    for name, url in (
        ("SCHEMA_REGISTRY_URL", registry.url),
        ("S3_ENDPOINT", store.endpoint),
        ("S3_PUBLIC_ENDPOINT", store.public_endpoint),
        ("CDN_URL", store.cdn_url),
        *(("CORS_ORIGIN", origin) for origin in doors.cors_origins),
    ):
        if url is not None and urlsplit(url).scheme != "https" and not is_loopback(urlsplit(url).hostname):
            yield f"{name} must be an https address, unless it is on this machine."

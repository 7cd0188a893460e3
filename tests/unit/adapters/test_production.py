"""A09: what production refuses, and development only warns of."""

import base64
import secrets

import pytest

from adapters.settings import SettingsError, load_settings

KEY = base64.b64encode(secrets.token_bytes(32)).decode()


def safe(**changed: str) -> dict[str, str]:
    """An environment that production accepts, but for what is changed."""
    names = ("ID_SECRET", "ACCOUNT_KEY_SECRET", "TOKEN_SECRET", "JWT_SECRET", "JWT_REFRESH_SECRET")
    return {
        "DARKROOM_ENV": "production",
        "KAFKA_BOOTSTRAP_SERVERS": "broker:9093",
        "KAFKA_SECURITY_PROTOCOL": "ssl",
        "KAFKA_REPLICATION": "3",
        "SCHEMA_REGISTRY_URL": "https://registry/apis/ccompat/v7",
        "DATABASE_URL": "postgresql://u:p@database/darkroom?sslmode=verify-full",
        "S3_ENDPOINT": "https://store",
        "S3_SECRET_KEY": secrets.token_urlsafe(32),
        "MASTER_KEY": f"one:{KEY}",
        "API_KEYS": f"{secrets.token_urlsafe(32)}:ada",
        "ALLOWED_HOSTS": "darkroom.example.org",
        **{name: secrets.token_urlsafe(32) for name in names},
        **changed,
    }


def test_what_is_safe_starts() -> None:
    settings = load_settings(safe())
    assert settings.production
    assert settings.warnings == ()


TWICE = secrets.token_urlsafe(32)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"FAILPOINTS": "worker.after_put=kill"}, "FAILPOINTS"),
        ({"KAFKA_REPLICATION": "2"}, "KAFKA_REPLICATION"),
        ({"KAFKA_SECURITY_PROTOCOL": "plaintext"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"SCHEMA_REGISTRY_URL": "http://registry"}, "SCHEMA_REGISTRY_URL"),
        ({"DATABASE_URL": "postgresql://u:p@database/darkroom"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:p@database/darkroom?sslmode=prefer"}, "DATABASE_URL"),
        ({"S3_PUBLIC_ENDPOINT": "http://store"}, "S3_PUBLIC_ENDPOINT"),
        ({"CDN_URL": "http://cdn"}, "CDN_URL"),
        ({"CORS_ORIGIN": "http://page"}, "CORS_ORIGIN"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ID_SECRET": ""}, "ID_SECRET"),
        ({"ACCOUNT_KEY_SECRET": "short"}, "ACCOUNT_KEY_SECRET"),
        ({"TOKEN_SECRET": "a" * 64}, "TOKEN_SECRET"),
        ({"TOKEN_SECRET": f"new:{TWICE},old:weak"}, "TOKEN_SECRET"),
        ({"JWT_SECRET": "a-string-secret-at-least-256-bits-long"}, "JWT_SECRET"),
        ({"JWT_SECRET": "please-ChangeMe-before-you-go-live-0123"}, "JWT_SECRET"),
        (
            {"JWT_REFRESH_SECRET": f"new:{TWICE},old:your-512-bit-text-of-some-length-0a9b8c"},
            "JWT_REFRESH_SECRET",
        ),
        (
            {"JWT_SECRET": "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"},
            "JWT_SECRET",
        ),
        ({"JWT_SECRET": TWICE, "JWT_REFRESH_SECRET": TWICE}, "JWT_REFRESH_SECRET, JWT_SECRET"),
        ({"MASTER_KEY": ""}, "MASTER_KEY"),
        ({"MASTER_KEY": "one:" + base64.b64encode(bytes(32)).decode()}, "MASTER_KEY"),
        ({"API_KEYS": "demo-key-of-ada:ada"}, "API_KEYS"),
        ({"S3_SECRET_KEY": ""}, "S3_SECRET_KEY"),
    ],
)
def test_what_is_unsafe_is_refused_and_only_warned_of_in_development(
    changed: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings(safe(**changed))
    sentences = refusal.value.sentences
    assert any(sentence.startswith(named) for sentence in sentences)
    assert all(sentence.endswith(".") for sentence in sentences)
    settings = load_settings(safe(**changed, DARKROOM_ENV="development"))
    assert settings.warnings == sentences


def test_all_defaults_are_refused_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings({"DARKROOM_ENV": "production"})
    told = " ".join(refusal.value.sentences)
    for name in (
        "KAFKA_REPLICATION",
        "ID_SECRET",
        "TOKEN_SECRET",
        "JWT_SECRET",
        "MASTER_KEY",
        "S3_SECRET_KEY",
    ):
        assert name in told


def test_servers_on_this_machine_need_no_encryption() -> None:
    load_settings(
        safe(
            KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9092,[::1]:9092",
            KAFKA_SECURITY_PROTOCOL="plaintext",
            SCHEMA_REGISTRY_URL="http://localhost:8081",
            DATABASE_URL="postgresql:///darkroom?host=/run/postgresql",
            S3_ENDPOINT="http://127.0.0.1:9000",
        )
    )


def test_seccomp_is_required_unless_somebody_says_so() -> None:
    assert load_settings(safe()).seccomp_required
    assert not load_settings(safe(ALLOW_WITHOUT_SECCOMP="true")).seccomp_required
    assert not load_settings({}).seccomp_required

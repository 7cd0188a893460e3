"""Settings: defaults that start, values that can't be, unknown names, and secrets that stay secret."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.settings import KafkaSettings, SettingsError, load_settings
from adapters.settings.loading import STACK_NAMES, fields, variable
from ops.stack.settings import own_names

MASTER = base64.b64encode(bytes(range(32))).decode()


def mistakes(**environ: str) -> tuple[str, ...]:
    """What is said of an environment that nothing can be started with."""
    with pytest.raises(SettingsError) as refusal:
        load_settings(environ)
    return refusal.value.sentences


def test_nothing_set_is_the_embedded_stack_in_development() -> None:
    settings = load_settings({})
    assert settings.runtime.env == "development"
    assert settings.kafka.topics.assets == "darkroom.assets.v1"
    assert settings.kafka.append_timeout_seconds == 4.0
    assert settings.store.public_endpoint == settings.store.endpoint
    assert settings.limits.form_bytes == 50_000_000
    assert settings.worker.shutdown_grace == timedelta(seconds=10)
    assert settings.warnings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DARKROOM_ENV", "staging"),
        ("KAFKA_BOOTSTRAP_SERVERS", "broker"),
        ("KAFKA_BOOTSTRAP_SERVERS", "broker:0"),
        ("KAFKA_BOOTSTRAP_SERVERS", "broker:9092 other:9092"),
        ("KAFKA_BOOTSTRAP_SERVERS", ","),
        ("TOPIC_PREFIX", "a b"),
        ("KAFKA_PARTITIONS", "0"),
        ("KAFKA_PARTITIONS", "many"),
        ("KAFKA_PARTITIONS", "1.5"),
        ("KAFKA_APPEND_TIMEOUT", "5s"),
        ("KAFKA_APPEND_TIMEOUT", "soon"),
        ("KAFKA_APPEND_TIMEOUT", "-1"),
        ("KAFKA_CA_FILE", "/no/such/file"),
        ("SCHEMA_REGISTRY_URL", "localhost:8081"),
        ("SCHEMA_REGISTRY_URL", "http://user:word@localhost:8081"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_POOL_SIZE", "0"),
        ("S3_ENDPOINT", "ftp://localhost"),
        ("S3_BUCKET", "ab"),
        ("CDN_URL", "https://cdn.example.org/?x=1"),
        ("API_KEYS", "short"),
        ("API_KEYS", "a-long-enough-key:ada:root"),
        ("API_KEYS", "a-long-enough-key:ada,a-long-enough-key:ben"),
        ("API_KEYS", "a-long-enough-key:ada:user,another-long-key:ada:admin"),
        ("MASTER_KEY", MASTER),
        ("MASTER_KEY", "a:c2hvcnQ="),
        ("MASTER_KEY", f"a:{MASTER},a:{MASTER}"),
        ("TOKEN_SECRET", "a:one,a:two"),
        ("TOKEN_SECRET", ","),
        ("JWT_ACCESS_EXPIRE", "0"),
        ("PORT", "65536"),
        ("CORS_ORIGIN", "https://page.example.org/path"),
        ("CORS_ORIGIN", "*"),
        ("API_DOCS", "maybe"),
        ("SSE_STREAMS_PER_USER", "0"),
        ("JSON_MAX_BYTES", "1"),
        ("WORKER_SLOT", "-1"),
        ("METRICS_PORT", "x"),
        ("FAILPOINTS", "worker.after_put=explode"),
        ("LOG_LEVEL", "chatty"),
    ],
)
def test_a_value_that_cannot_be_is_one_sentence_with_its_name_and_its_meaning(name: str, value: str) -> None:
    (sentence,) = mistakes(**{name: value})
    assert sentence.startswith(f"{name} ")
    assert sentence.endswith(".)")
    assert "\n" not in sentence


def test_all_mistakes_are_told_at_once() -> None:
    told = mistakes(PORT="x", S3_BUCKET="x", DARKROOM_COLOUR="red")
    assert [sentence.split()[0] for sentence in told] == ["DARKROOM_COLOUR", "S3_BUCKET", "PORT"]


def test_a_sasl_protocol_needs_who_and_what() -> None:
    (sentence,) = mistakes(KAFKA_SECURITY_PROTOCOL="sasl_ssl", KAFKA_USERNAME="u")
    assert "KAFKA_PASSWORD" in sentence
    kafka = load_settings(
        {"KAFKA_SECURITY_PROTOCOL": "sasl_ssl", "KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "word"}
    ).kafka
    assert kafka.client()["sasl.password"] == "word"


def test_an_empty_value_is_as_good_as_none() -> None:
    assert load_settings({"CDN_URL": "", "PORT": "", "API_KEYS": ""}) == load_settings({})


def test_durations_lists_and_addresses_are_read() -> None:
    settings = load_settings({
        "JWT_ACCESS_EXPIRE": "90",
        "URL_WINDOW": "1.5h",
        "SSE_WINDOW": "2d",
        "CORS_ORIGIN": "https://A.example.org , http://localhost:5173",
        "ALLOWED_HOSTS": "a.example.org,",
        "S3_ENDPOINT": "http://127.0.0.1:9000/",
    })  # fmt: skip
    assert settings.secrets.jwt_access_expire == timedelta(seconds=90)
    assert settings.doors.url_window == timedelta(minutes=90)
    assert settings.doors.sse_window == timedelta(days=2)
    assert settings.doors.cors_origins == ("https://a.example.org", "http://localhost:5173")
    assert settings.doors.allowed_hosts == ("a.example.org",)
    assert settings.store.endpoint == "http://127.0.0.1:9000"


def test_keys_and_secrets_are_read_as_they_are_written() -> None:
    secrets = load_settings({
        "API_KEYS": "first-long-key:ada:admin,second-long-key:ben,third-long-key",
        "MASTER_KEY": f"new:{MASTER},old:{MASTER}",
        "TOKEN_SECRET": "k1:one,k2:two",
        "JWT_SECRET": "bare",
    }).secrets  # fmt: skip
    assert [(key.owner, key.role) for key in secrets.api_keys] == [
        ("ada", "admin"),
        ("ben", "user"),
        ("default", "user"),
    ]
    assert [key.key_id for key in secrets.master_keys] == ["new", "old"]
    assert secrets.master_keys[0].key == bytes(range(32))
    assert [(named.kid, named.secret) for named in secrets.token_secrets] == [("k1", b"one"), ("k2", b"two")]
    assert secrets.jwt_secrets[0].secret == b"bare"


def test_no_secret_is_in_what_settings_look_like_or_in_what_is_said_of_them() -> None:
    canary = "canary-4f1c9a"
    names = ("ID_SECRET", "ACCOUNT_KEY_SECRET", "TOKEN_SECRET", "JWT_SECRET", "JWT_REFRESH_SECRET")
    settings = load_settings({
        **dict.fromkeys(names, canary),
        "S3_SECRET_KEY": canary,
        "API_KEYS": canary,
        "KAFKA_PASSWORD": canary,
        "SCHEMA_REGISTRY_AUTH": f"u:{canary}",
        "DATABASE_URL": f"postgresql://u:{canary}@h/d",
    })  # fmt: skip
    assert canary not in repr(settings)
    assert canary not in " ".join(settings.warnings)
    told = mistakes(DATABASE_URL=f"http://u:{canary}@h", MASTER_KEY=canary, API_KEYS=f"{canary}:a:{canary}")
    assert canary not in " ".join(told)
    assert len(told) == 3


def test_names_that_nobody_knows_are_mistakes_in_the_file_and_under_our_prefix(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1234\nKAFKA_PARTITONS=3\nport=1\n# a remark\nexport S3_BUCKET='from-file'\n")
    with pytest.raises(SettingsError) as refusal:
        load_settings({"HOME": "/", "DARKROOM_URI": "x", "SOMETHING": "else"}, env_file=file)
    told = refusal.value.sentences
    assert [sentence.split()[0] for sentence in told] == ["KAFKA_PARTITONS", "port", "DARKROOM_URI"]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1234\nS3_BUCKET=from-file\n")
    settings = load_settings({"PORT": "4321"}, env_file=file)
    assert (settings.doors.port, settings.store.bucket) == (4321, "from-file")


def test_a_process_reads_its_own_environment_and_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _, _, field in fields():
        monkeypatch.delenv(variable(field), raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("S3_BUCKET=from-file\n")
    monkeypatch.setenv("PORT", "4321")
    settings = load_settings()
    assert (settings.doors.port, settings.store.bucket) == (4321, "from-file")


def test_what_the_embedded_stack_reads_is_known() -> None:
    assert own_names() <= STACK_NAMES.keys()
    load_settings(dict.fromkeys(STACK_NAMES, "1"))


def test_every_setting_has_one_name_and_a_meaning() -> None:
    names = [variable(field) for _, _, field in fields()]
    assert len(names) == len(set(names))
    assert all(field.description and field.description.endswith(".") for _, _, field in fields())


def test_a_fragment_can_be_made_by_hand() -> None:
    assert KafkaSettings(topic_prefix="t").topics.operations == "t.operations.v1"

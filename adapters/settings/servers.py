"""Where the servers are: Kafka, the schema registry, Postgres and the object store."""

from datetime import timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from adapters.settings.fields import Duration, ExistingFile, Fragment, HttpUrl, Servers, Word
from schemas.topics import Topics

DEVELOPMENT_STORE_SECRET: Final = "darkroom-development-only"


class KafkaSettings(Fragment):
    """The event log."""

    bootstrap_servers: Servers = Field(
        default="127.0.0.1:19092",
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        description="Brokers to start from, host:port, separated by commas.",
    )
    topic_prefix: Word = Field(
        default="darkroom",
        validation_alias="TOPIC_PREFIX",
        max_length=100,
        description="What the names of topics and consumer groups begin with.",
    )
    partitions: int = Field(
        default=12,
        validation_alias="KAFKA_PARTITIONS",
        ge=1,
        le=1000,
        description="Partitions of the asset log; fixed once the topic exists.",
    )
    replication: int = Field(
        default=1,
        validation_alias="KAFKA_REPLICATION",
        ge=1,
        le=9,
        description="Copies of each record; production needs 3 or more.",
    )
    append_timeout: Duration = Field(
        default=timedelta(seconds=4),
        validation_alias="KAFKA_APPEND_TIMEOUT",
        description="How long an append may take before the answer is 503; less than 5s.",
    )
    security_protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        default="plaintext",
        validation_alias="KAFKA_SECURITY_PROTOCOL",
        description="plaintext, ssl, sasl_plaintext or sasl_ssl.",
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512",
        validation_alias="KAFKA_SASL_MECHANISM",
        description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; read when the protocol is a sasl one.",
    )
    username: str | None = Field(
        default=None, validation_alias="KAFKA_USERNAME", description="User name for a sasl protocol."
    )
    password: SecretStr | None = Field(
        default=None, validation_alias="KAFKA_PASSWORD", description="Password for a sasl protocol."
    )
    ca_file: ExistingFile | None = Field(
        default=None,
        validation_alias="KAFKA_CA_FILE",
        description="Certificates to trust, PEM; the system's own where unset.",
    )

    @field_validator("append_timeout")
    @classmethod
    def _below_the_http_deadline(cls, value: Duration) -> Duration:
        if not 0.5 <= value.total_seconds() < 5:
            raise ValueError("must be at least 0.5s and below 5s, the time in which the doors answer")
        return value

    @model_validator(mode="after")
    def _sasl_is_complete(self) -> "KafkaSettings":
        if self.security_protocol.startswith("sasl") and not (self.username and self.password):
            raise ValueError("KAFKA_USERNAME and KAFKA_PASSWORD are needed for a sasl protocol; set both")
        return self

    @property
    def append_timeout_seconds(self) -> float:
        """The append's deadline in seconds."""
        return self.append_timeout.total_seconds()

    @property
    def topics(self) -> Topics:
        """The names of the topics."""
        return Topics(prefix=self.topic_prefix)

    @property
    def encrypted(self) -> bool:
        """Whether the wire is TLS."""
        return self.security_protocol in {"ssl", "sasl_ssl"}

    def client(self) -> dict[str, str | int | float | bool]:
        """What every confluent-kafka client needs to reach the brokers."""
        config: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            # librdkafka writes to stderr by itself, at each of many attempts; what matters our own logs say.
            "log_level": 2,
        }
        if self.ca_file is not None:
            config["ssl.ca.location"] = str(self.ca_file)
        if self.username is not None and self.password is not None:
            config["sasl.mechanism"] = self.sasl_mechanism
            config["sasl.username"] = self.username
            config["sasl.password"] = self.password.get_secret_value()
        return config


class RegistrySettings(Fragment):
    """The schema registry (its Confluent-compatible door)."""

    url: HttpUrl = Field(
        default="http://127.0.0.1:18081/apis/ccompat/v7",
        validation_alias="SCHEMA_REGISTRY_URL",
        description="The registry's Confluent-compatible address.",
    )
    credentials: SecretStr | None = Field(
        default=None,
        validation_alias="SCHEMA_REGISTRY_AUTH",
        description="user:password for the registry, where it asks for them.",
    )


class PostgresSettings(Fragment):
    """The database of the read models and the soft state."""

    url: SecretStr = Field(
        default=SecretStr("postgresql://darkroom@127.0.0.1:15432/darkroom"),
        validation_alias="DATABASE_URL",
        description="postgresql:// address; production needs sslmode=require or stronger.",
    )
    pool_size: int = Field(
        default=10,
        validation_alias="DATABASE_POOL_SIZE",
        ge=1,
        le=200,
        description="Most connections that one process holds.",
    )
    connect_timeout: Duration = Field(
        default=timedelta(seconds=5),
        validation_alias="DATABASE_CONNECT_TIMEOUT",
        description="How long to wait for a connection.",
    )
    statement_timeout: Duration = Field(
        default=timedelta(seconds=10),
        validation_alias="DATABASE_STATEMENT_TIMEOUT",
        description="How long one query of the doors may run.",
    )

    @field_validator("url")
    @classmethod
    def _is_postgres(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in {"postgresql", "postgres"}:
            raise ValueError("must be an address such as postgresql://user:password@host:5432/darkroom")
        return value


class StoreSettings(Fragment):
    """The object store and the addresses under which browsers see it."""

    endpoint: HttpUrl = Field(
        default="http://127.0.0.1:19000",
        validation_alias="S3_ENDPOINT",
        description="The store's address as our own processes reach it.",
    )
    public_endpoint_override: HttpUrl | None = Field(
        default=None,
        validation_alias="S3_PUBLIC_ENDPOINT",
        description="The store's address as browsers reach it; S3_ENDPOINT where unset.",
    )
    bucket: Word = Field(
        default="darkroom",
        validation_alias="S3_BUCKET",
        min_length=3,
        max_length=63,
        description="The bucket; 3 letters or more.",
    )
    region: Word = Field(
        default="us-east-1", validation_alias="S3_REGION", description="The region to sign for."
    )
    access_key: str = Field(
        default="darkroom", validation_alias="S3_ACCESS_KEY", min_length=1, description="Access key id."
    )
    secret_key: SecretStr = Field(
        default=SecretStr(DEVELOPMENT_STORE_SECRET),
        validation_alias="S3_SECRET_KEY",
        description="Secret access key.",
    )
    cdn_url: HttpUrl | None = Field(
        default=None,
        validation_alias="CDN_URL",
        description="Where set, variants are linked here; without CDN_KEY_ID unsigned and for good.",
    )
    cdn_key_id: Word | None = Field(
        default=None,
        validation_alias="CDN_KEY_ID",
        description="The id of the public key that CloudFront checks signatures with.",
    )
    cdn_key_file: ExistingFile | None = Field(
        default=None,
        validation_alias="CDN_KEY_FILE",
        description="The RSA key to sign with, PEM; it belongs to CDN_KEY_ID.",
    )

    @model_validator(mode="after")
    def _cdn_key_is_complete(self) -> "StoreSettings":
        if (self.cdn_key_id is None) != (self.cdn_key_file is None):
            raise ValueError("CDN_KEY_ID and CDN_KEY_FILE belong together; set both or none")
        if self.cdn_key_id is not None and self.cdn_url is None:
            raise ValueError("CDN_KEY_ID needs CDN_URL; set both")
        return self

    @property
    def public_endpoint(self) -> str:
        """The address that presigned URLs carry."""
        return self.public_endpoint_override or self.endpoint

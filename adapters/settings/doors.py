"""What the doors offer, and the bounds of what they and the worker accept."""

from datetime import timedelta

from pydantic import Field

from adapters.settings.fields import Duration, Fragment, Names, Networks, Origins

MEGABYTE = 1_000_000


class DoorSettings(Fragment):
    """The HTTP listener and its habits."""

    host: str = Field(
        default="127.0.0.1", validation_alias="API_HOST", min_length=1, description="Address to listen on."
    )
    port: int = Field(
        default=8000, validation_alias="PORT", ge=0, le=65535, description="Port to listen on; 0 takes any."
    )
    cors_origins: Origins = Field(
        default=(), validation_alias="CORS_ORIGIN", description="Origins of other pages that may call us."
    )
    allowed_hosts: Names = Field(
        default=("127.0.0.1", "localhost"),
        validation_alias="ALLOWED_HOSTS",
        description="Host names that requests may carry; any other is refused.",
    )
    trusted_proxies: Networks = Field(
        default=(),
        validation_alias="TRUSTED_PROXIES",
        description="Addresses or networks whose forwarded headers are believed.",
    )
    docs: bool = Field(
        default=True,
        validation_alias="API_DOCS",
        description="Whether /docs, /redoc and /openapi.json are served.",
    )
    shutdown_grace: Duration = Field(
        default=timedelta(seconds=5),
        validation_alias="API_SHUTDOWN_GRACE",
        description="How long requests in flight may still take after SIGTERM.",
    )
    head_timeout: Duration = Field(
        default=timedelta(seconds=10),
        validation_alias="REQUEST_HEAD_TIMEOUT",
        description="How long the head of a request may take to arrive; connections are cut after it.",
    )
    connections_per_network: int = Field(
        default=1000,
        validation_alias="CONNECTIONS_PER_NETWORK",
        ge=0,
        le=1_000_000,
        description="Connections that one network may hold to one process; 0 for any number. "
        "Those of trusted proxies are not counted.",
    )
    read_wait: Duration = Field(
        default=timedelta(seconds=2),
        validation_alias="READ_WAIT",
        description="How long a read waits for the position it was given.",
    )
    presign_expire: Duration = Field(
        default=timedelta(minutes=15),
        validation_alias="PRESIGN_EXPIRE",
        description="How long an upload may be begun after it was asked for.",
    )
    multipart_expire: Duration = Field(
        default=timedelta(hours=24),
        validation_alias="MULTIPART_EXPIRE",
        description="How long an upload in parts may take.",
    )
    upload_grace: Duration = Field(
        default=timedelta(hours=1),
        validation_alias="UPLOAD_GRACE",
        description="An upload begun in time may be completed so much later; then it is expired.",
    )
    trash_keep: Duration = Field(
        default=timedelta(days=30),
        validation_alias="TRASH_KEEP",
        description="How long a deleted asset can be restored; then it is removed for good.",
    )
    url_window: Duration = Field(
        default=timedelta(hours=1),
        validation_alias="URL_WINDOW",
        description="Signed addresses of variants stay the same for this long, and valid for twice as long.",
    )
    read_cache_bytes: int = Field(
        default=16 * MEGABYTE,
        validation_alias="READ_CACHE_BYTES",
        ge=0,
        description="What each process remembers of assets and lists that are read often; 0: nothing.",
    )
    sse_streams_per_user: int = Field(
        default=5, validation_alias="SSE_STREAMS_PER_USER", ge=1, le=1000, description="Live streams a user."
    )
    sse_heartbeat: Duration = Field(
        default=timedelta(seconds=10),
        validation_alias="SSE_HEARTBEAT",
        description="Silence after which a live stream shows that it lives.",
    )
    sse_lifetime: Duration = Field(
        default=timedelta(minutes=30),
        validation_alias="SSE_LIFETIME",
        description="After this a live stream asks its client to come again.",
    )
    sse_window: Duration = Field(
        default=timedelta(hours=24),
        validation_alias="SSE_WINDOW",
        description="How far back a live stream can resume.",
    )
    sse_queue: int = Field(
        default=256,
        validation_alias="SSE_QUEUE",
        ge=1,
        le=100_000,
        description="Assets whose latest state waits for a slow client before it is cut.",
    )


class LimitSettings(Fragment):
    """How much is too much. Sizes in bytes."""

    json_bytes: int = Field(
        default=MEGABYTE, validation_alias="JSON_MAX_BYTES", ge=1024, description="A JSON body."
    )
    json_depth: int = Field(
        default=32, validation_alias="JSON_MAX_DEPTH", ge=2, le=200, description="How deep JSON may nest."
    )
    form_bytes: int = Field(
        default=50 * MEGABYTE,
        validation_alias="FORM_MAX_BYTES",
        ge=1024,
        description="A file sent in a form.",
    )
    direct_bytes: int = Field(
        default=64 * MEGABYTE,
        validation_alias="DIRECT_MAX_BYTES",
        ge=1024,
        description="A file sent straight to the store.",
    )
    multipart_bytes: int = Field(
        default=200 * MEGABYTE,
        validation_alias="MULTIPART_MAX_BYTES",
        ge=1024,
        description="A file sent straight to the store in parts.",
    )
    part_bytes: int = Field(
        default=8 * 1024 * 1024,
        validation_alias="UPLOAD_PART_BYTES",
        ge=5 * 1024 * 1024,
        le=64 * 1024 * 1024,
        description="One part of it, the last one apart; stores want 5 MiB at least.",
    )
    redrives: int = Field(
        default=3,
        validation_alias="DEAD_LETTER_REDRIVES",
        ge=0,
        description="How often in a row a dead letter of a worker may be redriven.",
    )
    pixels: int = Field(
        default=50_000_000, validation_alias="MAX_PIXELS", ge=1, description="Pixels of one picture."
    )
    scans: int = Field(default=50, validation_alias="MAX_SCANS", ge=1, description="Scans of one JPEG.")
    frames: int = Field(
        default=1000, validation_alias="MAX_FRAMES", ge=1, description="Frames of one animated picture."
    )

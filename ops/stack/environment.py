"""Every address and credential of a running stack, as the environment that its programs share."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from adapters.settings.loading import fields, variable
from ops.private_files import write_private
from ops.stack.failures import Unsuited
from ops.stack.ports import HOST, Ports
from ops.stack.settings import StackSettings

DATABASE = "darkroom"
POSTGRES_USER = "darkroom"
SERVER_NAMES = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "SCHEMA_REGISTRY_URL",
    "DATABASE_URL",
    "S3_ENDPOINT",
    "S3_BUCKET",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
)
"""What `--external` must find in the environment."""
OF_ONE_PROCESS = frozenset({"PORT", "METRICS_PORT", "STATE_DIR", "WORKER_SLOT"})
"""Settings that the stack gives to each process by itself."""


def server_addresses(settings: StackSettings, ports: Ports, kept: Mapping[str, str]) -> dict[str, str]:
    """Where the embedded servers are and what opens them."""
    password = kept["POSTGRES_PASSWORD"]
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{ports.kafka}",
        "SCHEMA_REGISTRY_URL": f"http://{HOST}:{ports.registry}/apis/ccompat/v7",
        "DATABASE_URL": f"postgresql://{POSTGRES_USER}:{password}@{HOST}:{ports.postgres}/{DATABASE}",
        "S3_ENDPOINT": f"http://{HOST}:{ports.store}",
        "S3_PUBLIC_ENDPOINT": f"http://{HOST}:{ports.store}",
        "S3_BUCKET": settings.s3_bucket,
        "S3_REGION": settings.s3_region,
        "S3_ACCESS_KEY": kept["S3_ACCESS_KEY"],
        "S3_SECRET_KEY": kept["S3_SECRET_KEY"],
    }


def external_addresses(environ: Mapping[str, str]) -> dict[str, str]:
    """Where servers of the person's own are. Raises Unsuited naming what is missing."""
    absent = [name for name in SERVER_NAMES if not environ.get(name)]
    if absent:
        raise Unsuited(f"--external runs against servers of your own; set {', '.join(absent)}.")
    found = {name: environ[name] for name in SERVER_NAMES}
    return {"S3_PUBLIC_ENDPOINT": found["S3_ENDPOINT"], "S3_REGION": "us-east-1", **found}


def given_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of our processes that the person set for all of them."""
    names = {variable(field) for _, _, field in fields()} - OF_ONE_PROCESS
    return {name: environ[name] for name in sorted(names) if environ.get(name)}


def product_addresses(ports: Ports) -> dict[str, str]:
    """Where our own processes listen."""
    metrics = {
        "api": ports.api_metrics,
        "variants": ports.worker_metrics,
        "bulk": ports.bulk_metrics,
        "projector": ports.projector_metrics,
        "purge": ports.purge_metrics,
        "erasures": ports.erasures_metrics,
        "housekeeping": ports.housekeeping_metrics,
    }
    return {
        "PROGRAM_URLS": ",".join(f"{name}=http://{HOST}:{port}" for name, port in metrics.items()),
        "DARKROOM_URL": f"http://{HOST}:{ports.api}",
        "PORT": str(ports.api),
        "API_METRICS_URL": f"http://{HOST}:{ports.api_metrics}/metrics",
        "WORKER_METRICS_URL": f"http://{HOST}:{ports.worker_metrics}/metrics",
        "PROJECTOR_METRICS_URL": f"http://{HOST}:{ports.projector_metrics}/metrics",
        "PURGE_METRICS_URL": f"http://{HOST}:{ports.purge_metrics}/metrics",
        "ERASURES_METRICS_URL": f"http://{HOST}:{ports.erasures_metrics}/metrics",
        "HOUSEKEEPING_METRICS_URL": f"http://{HOST}:{ports.housekeeping_metrics}/metrics",
        "BULK_METRICS_URL": f"http://{HOST}:{ports.bulk_metrics}/metrics",
    }


def product_secrets(kept: Mapping[str, str]) -> dict[str, str]:
    """What our own processes sign and seal with, and who may call them."""
    servers_only = {"POSTGRES_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY"}
    return {name: value for name, value in kept.items() if name not in servers_only}


def complete_environment(
    settings: StackSettings, ports: Ports, kept: Mapping[str, str], servers: Mapping[str, str]
) -> dict[str, str]:
    """All of it, sorted as it stands in the file; `servers` are the embedded or the external addresses."""
    environment = {
        "DARKROOM_ENV": "development",
        **product_addresses(ports),
        **servers,
        **product_secrets(kept),
    }
    if settings.cors_origin:
        environment["CORS_ORIGIN"] = settings.cors_origin
    return environment


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write shell assignments, one a line, mode 0600."""
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items()))


def read_environment(path: Path) -> dict[str, str]:
    """Read such a file back."""
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {name: "".join(shlex.split(value)) for name, value in pairs}

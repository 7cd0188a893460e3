"""S3Proxy, an S3 store on the local disk."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from botocore.exceptions import ClientError

from adapters.settings import StoreSettings
from adapters.settings.loading import variable
from ops.bucket import StoreSilent, create_bucket
from ops.stack.failures import ProgramFailed, Unsuited
from ops.stack.jars import STORE
from ops.stack.ports import HOST
from ops.stack.probes import http_answers
from ops.stack.programs import Kind, Program
from ops.stack.site import FAST, PATIENT, Site, java, server_environment

# A presigned POST is held in memory whole, while it is copied out of its form twice over: room for
# several of the largest (64 MB).
HEAP = 512
THROWAWAY_HEAP = 384
MAX_POST_BYTES = 96 * 1024 * 1024

PROPERTIES = """\
s3proxy.endpoint=http://{host}:{port}
s3proxy.authorization=aws-v4
s3proxy.identity={identity}
s3proxy.credential={credential}
s3proxy.v4-max-non-chunked-request-size={max_post}
s3proxy.cors-allow-origins={origins}
s3proxy.cors-allow-methods=GET HEAD PUT POST
s3proxy.cors-allow-headers=*
s3proxy.cors-exposed-headers=ETag Content-Length Content-Type
jclouds.provider=filesystem-nio2
jclouds.filesystem.basedir={data}
"""

LOGGING = """\
<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{ISO8601} %level %logger{0}: %msg%n</pattern></encoder>
  </appender>
  <root level="warn"><appender-ref ref="out"/></root>
</configuration>
"""


def store(site: Site) -> Program:
    """The object store, with its bucket made when it first answers."""
    heap = THROWAWAY_HEAP if site.throwaway else HEAP
    config = site.folder.config
    classpath = STORE.folder(site.folder.cache) / "*"
    logging = f"-Dlogback.configurationFile={config / 'store-logback.xml'}"
    return Program(
        name="store",
        kind=Kind.SERVER,
        argv=(
            *java(heap, *(FAST if site.throwaway else PATIENT), logging, "-cp", str(classpath)),
            "org.gaul.s3proxy.Main",
            "--properties",
            str(config / "store.properties"),
        ),
        cwd=site.folder.root,
        log=site.folder.log_of("store"),
        env=server_environment(),
        port=site.ports.store,
        # Without a signature every request is refused, and that is an answer.
        probe=http_answers(f"http://{HOST}:{site.ports.store}/", statuses=(200, 403)),
        prepare=lambda: _prepare(site),
        on_ready=lambda: make_bucket(site.servers),
    )


def make_bucket(environment: Mapping[str, str]) -> None:
    """Create the bucket that the environment names, unless it is there. Raises ProgramFailed."""
    names = {variable(field) for field in StoreSettings.model_fields.values()}
    settings = StoreSettings.model_validate(
        {name: environment[name] for name in names if name in environment}
    )
    try:
        create_bucket(settings)
    except (StoreSilent, ClientError) as error:
        raise ProgramFailed(f"The store would not make the bucket {settings.bucket}: {error}") from error


def _prepare(site: Site) -> None:
    data = site.folder.data / "store"
    data.mkdir(exist_ok=True)
    _probe_attributes(data)
    site.config("store-logback.xml", LOGGING)
    site.config(
        "store.properties",
        PROPERTIES.format(
            host=HOST,
            port=site.ports.store,
            identity=site.secrets["S3_ACCESS_KEY"],
            credential=site.secrets["S3_SECRET_KEY"],
            max_post=MAX_POST_BYTES,
            origins=_origins(site.settings.cors_origin, site.ports.api),
            data=data,
        ),
    )


def _origins(setting: str, api_port: int) -> str:
    """Origins as S3Proxy wants them: regular expressions, in a properties file (backslashes doubled)."""
    named = [origin.strip() for origin in setting.split(",") if origin.strip()]
    own = [f"http://{host}:{api_port}" for host in (HOST, "localhost")]
    return " ".join(re.escape(origin) for origin in dict.fromkeys(own + named)).replace("\\", "\\\\")


def _probe_attributes(folder: Path) -> None:
    """S3Proxy keeps content types and ETags in extended attributes; without them it loses both silently."""
    probe = folder / ".attributes"
    probe.touch()
    try:
        os.setxattr(probe, "user.darkroom", b"1")
    except OSError as error:
        raise Unsuited(
            f"The file system of {folder} keeps no extended attributes ({error.strerror}), which the object "
            f"store needs. Put the stack elsewhere with DARKROOM_HOME=FOLDER (ext4, xfs and btrfs do)."
        ) from error
    finally:
        probe.unlink()

"""The Java servers' files: which ones, their committed digests, and how they get here."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ops.stack.failures import DigestMismatch

DIGESTS = Path(__file__).with_name("digests")
Advance = Callable[[int], None]
"""Told the number of bytes that have just come in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One file of a Maven repository, with the digest it must have."""

    path: PurePosixPath
    """Place in a repository: group folders, artifact, version, file."""
    size: int
    sha256: str

    @property
    def coordinates(self) -> tuple[str, str, str, str, str]:
        """Group, artifact, version, classifier ('' for none) and packaging."""
        *group, artifact, version, file = self.path.parts
        rest = file.removeprefix(f"{artifact}-{version}")
        classifier, packaging = rest.split(".", 1)
        return ".".join(group), artifact, version, classifier.removeprefix("-"), packaging


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All files of one server, fetched together into one folder of the cache."""

    name: str
    version: str
    endpoint: str
    """What jgo resolves, with all it depends on, when the list of files is made anew."""
    extra: str = ""
    """One more file, without what it depends on."""
    unpacked: bool = False
    """The one file is an archive, kept only as what was in it."""

    @property
    def digests(self) -> Path:
        """The committed list."""
        return DIGESTS / f"{self.name}.sha256"

    @property
    def jars(self) -> tuple[Jar, ...]:
        """The files, as committed. Lines are: sha256, size in bytes, place in a repository."""
        lines = (line.split() for line in self.digests.read_text().splitlines() if not line.startswith("#"))
        return tuple(
            Jar(sha256=digest, size=int(size), path=PurePosixPath(path)) for digest, size, path in lines
        )

    @property
    def digest(self) -> str:
        """Stands for the whole list: another list is another folder."""
        return hashlib.sha256(self.digests.read_bytes()).hexdigest()

    def folder(self, cache: Path) -> Path:
        """Where the files lie once they are here."""
        return cache / f"{self.name}-{self.version}-{self.digest[:8]}"

    def is_here(self, cache: Path) -> bool:
        """Whether everything was fetched and checked before."""
        return self.folder(cache).is_dir()


KAFKA = Bundle(
    name="kafka",
    version="4.3.1",
    endpoint="org.apache.kafka:kafka_2.13:4.3.1",
    # Kafka by Maven comes without a logging backend and would say nothing at all. Resolved apart, because
    # the two together pull each other's versions down (Kafka's own clients to 3.9 among them).
    extra="org.apache.logging.log4j:log4j-slf4j-impl:2.25.4::jar",
)
REGISTRY = Bundle(
    name="apicurio",
    version="3.3.3",
    endpoint="",
    extra="io.apicurio:apicurio-registry-app:3.3.3:all:tar.gz",
    unpacked=True,
)
STORE = Bundle(name="s3proxy", version="4.1.0", endpoint="org.gaul:s3proxy:4.1.0")
BUNDLES = (KAFKA, REGISTRY, STORE)


def check(file: Path, jar: Jar) -> None:
    """Raise DigestMismatch, and delete the file, unless it is the one that was committed."""
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != jar.sha256:
        file.unlink()
        raise DigestMismatch(
            f"{file.name} is not the file that Darkroom was tested with (sha256 {found[:16]}…, "
            f"expected {jar.sha256[:16]}…). It was deleted; run the command again, and if it happens "
            f"again do not trust the repository it comes from."
        )


def install(bundle: Bundle, files: dict[Jar, Path], cache: Path) -> None:
    """Put checked files into the bundle's folder, which appears whole or not at all."""
    making = cache / f".{bundle.name}.{os.getpid()}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for jar, file in files.items():
        check(file, jar)
        if bundle.unpacked:
            _unpack(file, making)
            file.unlink()
        else:
            file.rename(making / file.name)
    making.rename(bundle.folder(cache))


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as content:
        # The filter came in 3.11.4; what is unpacked here has passed its digest.
        content.extraction_filter = getattr(tarfile, "data_filter", None)
        content.extractall(target)  # noqa: S202 - checked against a committed digest above


def is_intact(bundle: Bundle, cache: Path) -> bool:
    """Whether an installed bundle's files still are what they were; if not, the bundle is removed.

    What was unpacked from an archive has no digests of its own, and passes.
    """
    if bundle.unpacked:
        return True
    folder = bundle.folder(cache)
    try:
        for jar in bundle.jars:
            check(folder / jar.path.name, jar)
    except (DigestMismatch, FileNotFoundError):
        shutil.rmtree(folder)
        return False
    return True

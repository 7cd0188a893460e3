"""Makes the committed lists of files and digests anew, when a server's version changes."""

import hashlib
import shutil
from pathlib import Path, PurePosixPath

from jgo.env import EnvironmentBuilder, LinkStrategy

from ops.stack.fetch import repository
from ops.stack.jars import BUNDLES, Bundle, Jar

HEADER = "# sha256, size in bytes, place in a Maven repository; made by `python -m ops stack digests`\n"


def renew_digests(cache: Path) -> list[Path]:
    """Resolve each bundle with all it depends on, and write its list. Returns the files written.

    Believes what the repository sends: read the diff before you commit it.
    """
    return [_renew(bundle, cache / "resolving" / bundle.name) for bundle in BUNDLES]


def _renew(bundle: Bundle, scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    repo = scratch / "repository"
    context = repository(repo)
    files: list[Path] = []
    if bundle.endpoint:
        builder = EnvironmentBuilder(context=context, cache_dir=scratch, link_strategy=LinkStrategy.COPY)
        environment = builder.from_endpoint(bundle.endpoint)
        wanted = {file.name for file in Path(environment.path).rglob("*.jar")}
        files += [file for file in repo.rglob("*.jar") if file.name in wanted]
    if bundle.extra:
        group, artifact, version, classifier, packaging = bundle.extra.split(":")
        extra = context.project(group, artifact).at_version(version).artifact(classifier, packaging)
        files.append(Path(extra.resolve()))
    jars = sorted((_describe(file, repo) for file in files), key=lambda jar: jar.path)
    bundle.digests.write_text(HEADER + "".join(f"{jar.sha256} {jar.size} {jar.path}\n" for jar in jars))
    shutil.rmtree(scratch)
    return bundle.digests


def _describe(file: Path, repo: Path) -> Jar:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Jar(path=PurePosixPath(file.relative_to(repo)), size=file.stat().st_size, sha256=digest)

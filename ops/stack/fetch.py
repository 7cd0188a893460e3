"""Fetches the Java servers from their Maven repository by jgo, once, with the bytes shown as they come."""

import fcntl
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import requests
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver

from ops.stack.failures import FetchFailed
from ops.stack.jars import Advance, Bundle, Jar, install

# Small files are bound by round trips, not by bandwidth.
CONNECTIONS = 16
ATTEMPTS = 3
TIMEOUT = 60
"""Seconds without a byte."""
Meter = Callable[[str, int], AbstractContextManager[Advance]]
"""Opens a progress display for a bundle of so many bytes."""


class Cancelled(Exception):
    """The person at the terminal has had enough."""


def missing(bundles: Sequence[Bundle], cache: Path) -> list[Bundle]:
    """The bundles that still have to be fetched."""
    return [bundle for bundle in bundles if not bundle.is_here(cache)]


def fetch(bundles: Sequence[Bundle], cache: Path, meter: Meter) -> None:
    """Bring the bundles into the cache. Whole files of a broken-off run are kept and not fetched again.

    Raises FetchFailed when the repository can't be reached and DigestMismatch when it sends something else.
    """
    with _alone(cache):
        for bundle in missing(bundles, cache):
            jars = bundle.jars
            with meter(f"{bundle.name} {bundle.version}", sum(jar.size for jar in jars)) as advance:
                files = _download(jars, cache / "incoming", advance)
            install(bundle, files, cache)
        shutil.rmtree(cache / "incoming", ignore_errors=True)


def _download(jars: Sequence[Jar], into: Path, advance: Advance) -> dict[Jar, Path]:
    cancelled = threading.Event()

    def count(amount: int) -> None:
        if cancelled.is_set():
            raise Cancelled
        advance(amount)

    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="fetch") as pool:
        running = {pool.submit(_download_one, jar, into, count): jar for jar in jars}
        try:
            return {running[done]: done.result() for done in as_completed(running)}
        finally:
            cancelled.set()
            pool.shutdown(cancel_futures=True)


def _download_one(jar: Jar, into: Path, advance: Advance) -> Path:
    group, artifact, version, classifier, packaging = jar.coordinates
    target = into / Path(*jar.path.parts)
    if target.exists() and target.stat().st_size == jar.size:
        advance(jar.size)
        return target
    for attempt in range(1, ATTEMPTS + 1):
        target.unlink(missing_ok=True)
        context = repository(into, advance)
        wanted = context.project(group, artifact).at_version(version).artifact(classifier, packaging)
        try:
            return Path(wanted.resolve())
        except (requests.RequestException, RuntimeError, OSError) as error:
            target.unlink(missing_ok=True)
            if attempt == ATTEMPTS:
                raise FetchFailed(
                    f"Could not download {jar.path.name}: {error}. Is the network up, and a proxy needed? "
                    f"What has already come is kept: run the command again."
                ) from error
    raise AssertionError("unreachable")


def repository(cache: Path, advance: Advance | None = None) -> MavenContext:
    """The Maven repositories: a mirror from the user's own jgo configuration first, then Maven Central."""

    @contextmanager
    def follow(_name: str, _size: int) -> Iterator[Advance]:
        yield advance or (lambda _amount: None)

    mirrors: dict[str, str] = GlobalSettings.load().repositories
    return MavenContext(
        resolver=PythonResolver(progress_callback=follow),
        repo_cache=cache,
        local_repos=[],
        remote_repos={**mirrors, "central": MAVEN_CENTRAL_URL},
        timeout=TIMEOUT,
    )


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Two stacks that share a cache take turns."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

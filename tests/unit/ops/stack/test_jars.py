"""The servers' files: the committed digests are kept to, and a download is whole or not there."""

import hashlib
import http.server
import io
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ops.stack import jars
from ops.stack.console import Terminal
from ops.stack.failures import DigestMismatch, FetchFailed
from ops.stack.fetch import fetch, missing
from ops.stack.jars import BUNDLES, Advance, Bundle, is_intact

BIG, SMALL = b"j" * 300_000, b"a small jar"
PATHS = {"org/acme/big/1.0/big-1.0.jar": BIG, "org/acme/small/2.1/small-2.1-linux.jar": SMALL}


@dataclass
class Repository:
    """A Maven repository on loopback."""

    url: str
    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """Serves PATHS, and stands in the user's jgo configuration as a mirror."""
    repository = Repository(url="", files=dict(PATHS))

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            if path.endswith(".sha1"):
                self.send_error(404)
                return
            repository.asked.append(path)
            body = repository.files[path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(PATHS.get(path, body))))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    repository.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".jgorc").write_text(f"[repositories]\nmirror = {repository.url}\n")
    yield repository
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A server of two files."""
    return make_bundle(tmp_path, monkeypatch, PATHS)


def make_bundle(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], *, unpacked: bool = False
) -> Bundle:
    monkeypatch.setattr(jars, "DIGESTS", folder)
    lines = (f"{hashlib.sha256(body).hexdigest()} {len(body)} {path}\n" for path, body in files.items())
    (folder / "acme.sha256").write_text("# comment\n" + "".join(lines))
    return Bundle(name="acme", version="1.0", endpoint="", unpacked=unpacked)


class Meter:
    """Counts the bytes shown."""

    def __init__(self) -> None:
        self.total, self.seen = 0, 0

    @contextmanager
    def __call__(self, _name: str, size: int) -> Iterator[Advance]:
        self.total = size
        yield self.advance

    def advance(self, amount: int) -> None:
        self.seen += amount


def test_files_come_once_checked_and_counted(repository: Repository, bundle: Bundle, tmp_path: Path) -> None:
    cache, meter = tmp_path / "cache", Meter()
    assert missing([bundle], cache) == [bundle]
    fetch([bundle], cache, meter)
    folder = bundle.folder(cache)
    assert (folder / "big-1.0.jar").read_bytes() == BIG
    assert (folder / "small-2.1-linux.jar").read_bytes() == SMALL
    assert meter.seen == meter.total == len(BIG) + len(SMALL)
    assert missing([bundle], cache) == []
    fetch([bundle], cache, meter)
    assert len(repository.asked) == 2
    assert not (cache / "incoming").exists()


def test_a_file_that_is_another_is_refused_and_gone(
    repository: Repository, bundle: Bundle, tmp_path: Path
) -> None:
    repository.files["org/acme/small/2.1/small-2.1-linux.jar"] = SMALL.swapcase()
    cache = tmp_path / "cache"
    with pytest.raises(DigestMismatch, match=r"small-2\.1-linux\.jar is not the file that"):
        fetch([bundle], cache, Meter())
    assert missing([bundle], cache) == [bundle]
    assert not list(cache.rglob("small-2.1-linux.jar"))


def test_what_had_come_before_a_break_is_not_fetched_again(
    repository: Repository, bundle: Bundle, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    whole = cache / "incoming" / "org/acme/big/1.0/big-1.0.jar"
    half = cache / "incoming" / "org/acme/small/2.1/small-2.1-linux.jar"
    for file, body in ((whole, BIG), (half, SMALL[:4])):
        file.parent.mkdir(parents=True)
        file.write_bytes(body)
    meter = Meter()
    fetch([bundle], cache, meter)
    assert repository.asked == ["org/acme/small/2.1/small-2.1-linux.jar"]
    assert meter.seen == meter.total


def test_a_repository_that_breaks_off_is_asked_again_and_then_said(
    repository: Repository, bundle: Bundle, tmp_path: Path
) -> None:
    repository.files["org/acme/big/1.0/big-1.0.jar"] = BIG[:1000]
    with pytest.raises(FetchFailed, match=r"Could not download big-1\.0\.jar.*run the command again"):
        fetch([bundle], tmp_path / "cache", Meter())
    assert repository.asked.count("org/acme/big/1.0/big-1.0.jar") == 3
    assert missing([bundle], tmp_path / "cache") == [bundle]


def test_an_installed_file_that_changed_is_found_and_fetched_anew(
    repository: Repository, bundle: Bundle, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    fetch([bundle], cache, Meter())
    assert is_intact(bundle, cache)
    (bundle.folder(cache) / "big-1.0.jar").write_bytes(b"x")
    assert not is_intact(bundle, cache)
    assert missing([bundle], cache) == [bundle]


def test_an_archive_is_kept_as_what_was_in_it(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        inside = tarfile.TarInfo("lib/run.jar")
        inside.size = len(SMALL)
        archive.addfile(inside, io.BytesIO(SMALL))
    path = "org/acme/app/3.0/app-3.0-all.tar.gz"
    repository.files[path] = packed.getvalue()
    monkeypatch.setitem(PATHS, path, packed.getvalue())
    bundle = make_bundle(tmp_path, monkeypatch, {path: packed.getvalue()}, unpacked=True)
    cache = tmp_path / "cache"
    fetch([bundle], cache, Meter())
    assert (bundle.folder(cache) / "lib" / "run.jar").read_bytes() == SMALL
    assert [file.name for file in cache.rglob("*") if file.is_file()] == [".lock", "run.jar"]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_the_committed_lists_are_well_formed(bundle: Bundle) -> None:
    files = bundle.jars
    assert files
    assert len({jar.path.name for jar in files}) == len(files), "one folder holds them all"
    for jar in files:
        assert len(bytes.fromhex(jar.sha256)) == 32
        assert jar.size > 0
        group, artifact, version, classifier, packaging = jar.coordinates
        suffix = f"-{classifier}" if classifier else ""
        assert jar.path.name == f"{artifact}-{version}{suffix}.{packaging}"
        assert str(jar.path).startswith(group.replace(".", "/"))


def test_a_plain_terminal_gets_a_line_a_fifth(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal().meter("acme 1.0", 10_000_000) as advance:
        for _ in range(100):
            advance(100_000)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[0].endswith("acme 1.0: 10.0 MB")
    assert lines[-1].endswith("acme 1.0: 10.0 of 10.0 MB")


def test_a_cache_can_be_deleted_between_runs(repository: Repository, bundle: Bundle, tmp_path: Path) -> None:
    fetch([bundle], tmp_path / "cache", Meter())
    shutil.rmtree(tmp_path / "cache")
    fetch([bundle], tmp_path / "cache", Meter())
    assert bundle.is_here(tmp_path / "cache")

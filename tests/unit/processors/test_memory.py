"""That the allocator takes what we tell it, where it is glibc's."""

import platform

import pytest

from processors.memory import give_freed_memory_back


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_glibc_accepts_all_of_it() -> None:
    assert give_freed_memory_back()

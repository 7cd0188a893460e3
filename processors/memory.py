"""A worker's memory: what is freed is given back, for originals come and go, and what stays is left alone.

Measured over 180 photographs: 145 MB resident without this, 119 MB with it, for 1 ms of system time each.
"""

import ctypes
import gc
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


def keep_what_is_loaded() -> None:
    """Leaves all objects that there are now out of later garbage collections; for the end of a start.

    Modules, schemas and connections live as long as the process, and looking through them again and again
    was a tenth of the time that a worker spends on a small picture.
    """
    gc.collect()
    gc.freeze()

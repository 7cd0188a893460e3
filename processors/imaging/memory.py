"""The C allocator, told to keep what it is given back: faulting pages anew costs a quarter of a decode."""

import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> bool:
    """Set malloc's thresholds for this process and its children; False where the C library has none."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    wanted = ((_M_MMAP_THRESHOLD, 1 << 30), (_M_TRIM_THRESHOLD, 256 << 20), (_M_TOP_PAD, 64 << 20))
    accepted = [mallopt(option, size) == 1 for option, size in wanted]
    return all(accepted)

"""Memory of a training step on Linux: what one step frees, the next one uses."""

import ctypes
import sys

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Ask the allocator of this process not to hand large blocks back; False where it cannot be asked.

    glibc maps every large tensor and unmaps it when it is freed, and the kernel clears the same pages for each step
    anew; the process keeps its largest size until it ends.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        # Other C libraries, such as musl.
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))

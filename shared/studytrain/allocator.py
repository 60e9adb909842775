"""Freed memory that is kept, because the next step asks for as much again.

glibc gives the end of its heap, and every large block, back to the kernel as soon as it is free.
A step of a network allocates the same megabytes as the one before, so each would be zeroed and
mapped again: 1,100 page faults a step of the digits' CNN, a quarter of its time.
"""

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of mallopt(3)."""
LARGEST_BLOCK = 32 * 2**20
"""From which on a block is mapped by itself, whatever is set: the largest that glibc accepts."""


def keep_freed_memory() -> None:
    """Of this process, up to 1 GiB; does nothing where the C library has no mallopt."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGEST_BLOCK)
        mallopt(TRIM_THRESHOLD, 2**30)

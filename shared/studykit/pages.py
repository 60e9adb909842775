"""Arrays of ordinary pages of memory.

NumPy asks for huge pages for whatever has 4 MB or more. They pay off for what is read here and
there, a vector of ranks; but where memory is in pieces the kernel has to move others' first, and a
table of 0.2 GB, written once from front to back, takes twice as long to be filled. And an array
that is filled in a thousand places at a time has all of its huge pages at once, where ordinary ones
come as they are written: its memory then grows while that of what it is made from shrinks.
"""

import contextlib
import math
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """As `numpy.empty`, for what is filled once and read in order; its bytes are zeros."""
    length = math.prod(shape) * np.dtype(dtype).itemsize
    if length == 0:
        return np.empty(shape, dtype)
    # Its own: a fork's writes are not seen here.
    memory = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):  # Only Linux has them.
        with contextlib.suppress(OSError):  # A kernel without huge pages does not know the word.
            memory.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(memory, dtype).reshape(shape)

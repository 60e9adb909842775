"""Whole numbers as text, written into bytes by the generators' compiled loops."""

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def write_digits(text, at, number, digits):  # type: ignore[no-untyped-def]
    """The last `digits` decimal digits of a number, from `at` on; returns where they end."""
    rest = np.uint64(number)
    for place in range(at + digits - 1, at - 1, -1):
        shorter = rest // np.uint64(10)
        text[place] = np.uint8(np.uint64(48) + rest - shorter * np.uint64(10))
        rest = shorter
    return at + digits

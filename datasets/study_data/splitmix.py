"""Random numbers that are a pure function of a key and a counter, so that any thread can draw any.

splitmix64 (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators").
"""

import numba
import numpy as np

GOLDEN = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: splitmix64's step."""


def mixed(value: int) -> int:
    """A whole number of any size → 64 random bits, by splitmix64's output function."""
    value = value * GOLDEN % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


@numba.njit(nogil=True, cache=True)
def bits(key, counter):  # type: ignore[no-untyped-def]
    """The counter's 64 random bits. Both are uint64."""
    value = key + counter * np.uint64(GOLDEN)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(nogil=True, cache=True)
def uniform(key, counter):  # type: ignore[no-untyped-def]
    """The counter's random number: the first 53 of its bits, in [0, 1)."""
    return (bits(key, counter) >> np.uint64(11)) * 2.0**-53


@numba.njit(nogil=True, cache=True)
def normal(word):  # type: ignore[no-untyped-def]
    """Nearly normal: the sum of four uniform numbers of 16 bits each, scaled to variance 1."""
    total = word & np.uint64(65535)
    for _ in range(3):
        word >>= np.uint64(16)
        total += word & np.uint64(65535)
    return (np.float64(total) / 65536.0 - 2.0) * 1.7320508075688772

"""The oracle's quick way: lines of two runs of digits, sign by sign, all of a block or none."""

import numba
import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

NEWLINE, ZERO, NINE = 10, 48, 57
SHORTEST = len("1,2\n")
MOST_DIGITS = 18
"""That fit in 64 bits whatever they are."""


def pairs(block: bytes, sign: bytes) -> tuple[Ids, Ids] | None:
    """The numbers before and behind `sign` of every line; None where one is anything else."""
    text = np.frombuffer(block, np.uint8)
    first, second = np.empty((2, len(block) // SHORTEST + 1), np.int64)  # Unused room costs none.
    count = _read(text, ord(sign), first, second)
    return None if count < 0 else (first[:count], second[:count])


@numba.njit(nogil=True, cache=True)
def _read(text, sign, first, second):  # type: ignore[no-untyped-def]
    """Lines read, -1 where one is not plain."""
    count, number, digits, behind_sign = 0, 0, 0, False
    for byte in text:
        if ZERO <= byte <= NINE:
            number = 10 * number + (byte - ZERO)
            digits += 1
            continue
        if not 0 < digits <= MOST_DIGITS or byte != (NEWLINE if behind_sign else sign):
            return -1
        if behind_sign:
            second[count] = number
            count += 1
        else:
            first[count] = number
        behind_sign = not behind_sign
        number, digits = 0, 0
    if behind_sign and 0 < digits <= MOST_DIGITS:  # The last line has no end.
        second[count] = number
        return count + 1
    return -1 if behind_sign or digits else count

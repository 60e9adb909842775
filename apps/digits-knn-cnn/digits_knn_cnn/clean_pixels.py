"""The compiled reader of clean lines: whole numbers, `5` or `5.0`, between commas.

What it will not judge (fractions, blanks, quotes, other signs, numbers above the largest) ends it
before that line, which is left to the exact reader.
"""

import numba
import numpy as np

_NEWLINE, _RETURN, _QUOTE, _COMMA, _POINT = 10, 13, 34, 44, 46
_ZERO = np.uint8(48)
_1, _2 = np.uint64(1), np.uint64(2)

SKIPPED, LABEL = -2, -1
"""Roles of a file's columns; that of a pixel is its place in the picture."""


@numba.njit(nogil=True, inline="always")
def _whole(data, i, n, largest):  # type: ignore[no-untyped-def]
    """The number at i → (value, position behind it, whether it is clean)."""
    begin, value = i, np.int64(0)
    while i < n:
        digit = np.uint8(data[i] - _ZERO)
        if digit > 9:
            break
        value = value * 10 + digit
        if value > largest:
            return value, i, False
        i += _1
    if i == begin:
        return value, i, False
    if i < n and data[i] == _POINT:
        i += _1
        while i < n and data[i] == _ZERO:
            i += _1
    return value, i, True


@numba.njit(nogil=True, cache=True)
def parse(data, start, roles, largest, pixels, labels):  # type: ignore[no-untyped-def]
    """uint8 bytes of whole lines from `start` → rows; stops before a line that is not clean.

    Returns (rows read, at most as many as there is room for; where it stopped: behind them).
    `roles` has one entry for each column of the file. pixels: uint8[most, side²], labels:
    uint8[most]. All positions are unsigned: no index is checked for counting from the end.
    """
    n, i, row, last = np.uint64(data.size), np.uint64(start), 0, roles.size - 1
    while i < n and row < labels.size:
        line = i
        if data[i] == _NEWLINE:
            i += _1
            continue
        if data[i] == _RETURN and i + _1 < n and data[i + _1] == _NEWLINE:
            i += _2
            continue
        for column in range(roles.size):
            role = roles[column]
            if role != SKIPPED:
                value, i, clean = _whole(data, i, n, 9 if role == LABEL else largest)
                if not clean:
                    return row, line
                if role == LABEL:
                    labels[row] = value
                else:
                    pixels[row, role] = value
            else:
                while i < n and data[i] != _COMMA and data[i] != _NEWLINE:
                    # What only the exact reader judges: quotes, a lone return, NUL, not ASCII.
                    if data[i] == _QUOTE or data[i] == _RETURN or data[i] == 0 or data[i] > 127:
                        return row, line
                    i += _1
            if column < last:
                if i >= n or data[i] != _COMMA:
                    return row, line
                i += _1
        if i < n:
            if data[i] == _RETURN and i + _1 < n and data[i + _1] == _NEWLINE:
                i += _2
            elif data[i] == _NEWLINE:
                i += _1
            else:
                return row, line
        row += 1
    return row, i

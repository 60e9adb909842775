"""The compiled reader of clean lines: plain decimals as single floats, and a class.

The one idea: a decimal of at most 18 digits is m / 10^e with a whole number m < 2^63, and a double
for 10^e is exact. m as a double, and the quotient, are each rounded once, so that
the nearest single float is certain but where the quotient lies within 2^-51 of the middle between
two: such a line, one in some millions, is left to the exact reader, as is every line that is not
clean (Clinger 1990, "How to Read Floating Point Numbers Accurately"). Eight digits are read at
once.
"""

import numba
import numpy as np

from synthetic_classifiers import words
from synthetic_classifiers.layout import FIRST_FEATURE, LABEL

_NEWLINE, _RETURN, _QUOTE, _MINUS, _POINT, _COMMA = 10, 13, 34, 45, 46, 44
_0, _1, _10 = np.uint64(0), np.uint64(1), np.uint64(10)
_ZERO = np.uint8(48)
_8, _10_TO_8 = np.uint64(8), np.uint64(10**8)
MOST_DIGITS = np.uint64(18)
"""So that they are an int64."""
POWERS = 10.0 ** np.arange(19)
"""Exact as doubles."""
ABOVE, BELOW = 1 + 2.0**-51, 1 - 2.0**-51
"""Times the quotient: what it is at most, and at least."""
MOST_CLASS_DIGITS = np.uint64(9)


@numba.njit(nogil=True, inline="always")
def _digits(data, i, n, m):  # type: ignore[no-untyped-def]
    """m continued by the digits at i, of which there are few → (m, the position behind them)."""
    while i < n:
        c = np.uint8(data[i] - _ZERO)
        if c > 9:
            break
        m = m * _10 + np.uint64(c)
        i += _1
    return m, i


@numba.njit(nogil=True, inline="always")
def _decimal(data, i, n):  # type: ignore[no-untyped-def]
    """The number at i, without an exponent → (nearest single float, position behind it, clean)."""
    negative = data[i] == _MINUS
    i += np.uint64(negative)
    begin, places = i, np.int64(0)
    m, i = _digits(data, i, n, _0)
    digits = i - begin
    if i < n and data[i] == _POINT:
        i += _1
        point = i
        while i + _8 <= n:
            word = words.word_at(data, i)
            if not words.are_digits(word):
                break
            m = m * _10_TO_8 + words.number_of(word)
            i += _8
        m, i = _digits(data, i, n, m)
        places = np.int64(i - point)
        digits += i - point
    # Leading zeros count: a number of more digits than these is for the exact reader.
    if digits - _1 >= MOST_DIGITS:  # Of none it is larger than any.
        return np.float32(0), i, False
    value = np.float64(np.int64(m)) / POWERS[places]
    nearest = np.float32(value * ABOVE)
    return (-nearest if negative else nearest), i, nearest == np.float32(value * BELOW)


# Nothing is divided by zero. What is called is inlined: handing over an array costs more than
# reading a number.
@numba.njit(nogil=True, cache=True, error_model="numpy")
def parse(  # type: ignore[no-untyped-def]
    data, start, most, roles, classes, missing, features, labels
):
    """uint8 bytes of whole lines from `start` → samples; stops before a line that is not clean.

    Returns (samples read, at most `most`; where it stopped: behind them). `roles` has one entry for
    each column of the file; with `missing` an empty field is a feature that is NaN.
    features: float32[most, n]; labels: int32[most]. Positions are unsigned: no index is checked for
    counting from the end.
    """
    n, i, row, last = np.uint64(data.size), np.uint64(start), 0, roles.size - 1
    while i < n and row < most:
        line = i
        if data[i] == _NEWLINE:
            i += _1
            continue
        if data[i] == _RETURN and i + _1 < n and data[i + _1] == _NEWLINE:
            i += np.uint64(2)
            continue
        for column in range(roles.size):
            if i >= n:
                return row, line
            role = roles[column]
            if role >= FIRST_FEATURE:
                if missing and (data[i] == _COMMA or data[i] == _NEWLINE or data[i] == _RETURN):
                    features[row, role - FIRST_FEATURE] = np.nan
                else:
                    value, i, clean = _decimal(data, i, n)
                    if not clean:
                        return row, line
                    features[row, role - FIRST_FEATURE] = value
            elif role == LABEL:
                begin = i
                label, i = _digits(data, i, n, _0)
                if i == begin or i - begin > MOST_CLASS_DIGITS or label >= np.uint64(classes):
                    return row, line
                labels[row] = np.int32(label)
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
                i += np.uint64(2)
            elif data[i] == _NEWLINE:
                i += _1
            else:
                return row, line
        row += 1
    return row, i

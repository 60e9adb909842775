"""The compiled reader of clean lines: whole numbers, plain decimals and known categories.

The one idea: a decimal of at most 19 digits is m · 10^e with a whole number m < 2^64, and for
|e| ≤ 22 a double for 10^|e| is exact. Where m is exact too, one division rounds once and is the
nearest double (Clinger 1990, "How to Read Floating Point Numbers Accurately"). Where it is not, the
division is done in twice the precision (Dekker 1971), and only where the last rounding could go
either way is the line left to the exact reader, like every line that is not clean.
"""

import numba
import numpy as np

_NEWLINE, _RETURN, _QUOTE, _MINUS, _POINT = 10, 13, 34, 45, 46
_0, _1, _10 = np.uint64(0), np.uint64(1), np.uint64(10)
_ZERO = np.uint8(48)
_19 = np.uint64(19)

SKIPPED, ID, CATEGORY, FIRST_VALUE = 0, 1, 2, 3
"""Roles of a file's columns; value number i has the role FIRST_VALUE + i."""

LARGEST_POWER = 22
POWERS = 10.0 ** np.arange(LARGEST_POWER + 1)
"""Exact as doubles."""
MOST_DIGITS = 19
EXACT = np.uint64(1 << 53)
SPLITTER = 2.0**27 + 1
UNSURE = 2.0**-45
"""Relative error, generously, of the part that the last rounding adds."""


@numba.njit(nogil=True, inline="always")
def _two_product_error(a, b, product):  # type: ignore[no-untyped-def]
    """a · b - product, exactly (Dekker's)."""
    t = SPLITTER * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = SPLITTER * b
    b_high = t - (t - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@numba.njit(nogil=True, cache=True)
def _wide_quotient(m, power):  # type: ignore[no-untyped-def]
    """m / power to the nearest double, m ≥ 2^53; NaN where that cannot be told."""
    low_bits = m & np.uint64(2047)
    high, low = float(m - low_bits), float(low_bits)
    quotient = high / power
    product = quotient * power
    rest = (high - product) - _two_product_error(quotient, power, product)
    correction = (rest + low) / power
    doubt = abs(correction) * UNSURE
    smaller, larger = quotient + (correction - doubt), quotient + (correction + doubt)
    return smaller if smaller == larger else np.nan


@numba.njit(nogil=True)
def _decimal(data, i, n):  # type: ignore[no-untyped-def]
    """The number at i → (the nearest double, the position behind it); NaN where it is not clean."""
    negative = data[i] == _MINUS
    if negative:
        i += _1
    first, m, exponent = i, _0, np.int64(0)
    while i < n and data[i] == 48:
        i += _1
    begin = i
    while i < n:
        c = np.uint8(data[i] - _ZERO)
        if c > 9:
            break
        m = m * _10 + np.uint64(c)
        i += _1
    digits = i - begin
    if i < n and data[i] == _POINT:
        first += _1  # the point is no digit
        i += _1
        point = i
        if m == 0:
            while i < n and data[i] == 48:
                i += _1
        begin = i
        while i < n:
            c = np.uint8(data[i] - _ZERO)
            if c > 9:
                break
            m = m * _10 + np.uint64(c)
            i += _1
        digits += i - begin
        exponent = -np.int64(i - point)
    if i == first or digits > _19:
        return np.nan, i
    if i < n and (data[i] == 101 or data[i] == 69):  # e or E
        i += _1
        minus = i < n and data[i] == _MINUS
        if i < n and (minus or data[i] == 43):
            i += _1
        begin, power = i, np.int64(0)
        while i < n and i - begin < np.uint64(4):
            c = np.uint8(data[i] - _ZERO)
            if c > 9:
                break
            power = power * np.int64(10) + np.int64(c)
            i += _1
        if i == begin:
            return np.nan, i
        exponent += -power if minus else power
    if m == 0:
        value = 0.0
    elif exponent < -LARGEST_POWER or exponent > LARGEST_POWER:
        return np.nan, i
    elif m <= EXACT:
        value = float(m)
        value = value / POWERS[-exponent] if exponent < 0 else value * POWERS[exponent]
    elif exponent <= 0:
        value = _wide_quotient(m, POWERS[-exponent])
    else:
        return np.nan, i
    return (-value if negative else value), i


@numba.njit(nogil=True)
def _whole(data, i, n):  # type: ignore[no-untyped-def]
    """The whole number at i → (value, position behind it, whether it is clean)."""
    negative = data[i] == _MINUS
    if negative:
        i += _1
    begin, value = i, _0
    while i < n:
        c = np.uint8(data[i] - _ZERO)
        if c > 9:
            break
        value = value * _10 + np.uint64(c)
        i += _1
    clean = i > begin and i - begin < _19
    return (-np.int64(value) if negative else np.int64(value)), i, clean


@numba.njit(nogil=True)
def _category(data, i, n, separator, single, labels, lengths):  # type: ignore[no-untyped-def]
    """The category at i → (its code or -1, position behind it)."""
    begin = i
    while i < n and data[i] != separator and data[i] != _NEWLINE and data[i] != _RETURN:
        i += _1
    length = np.int64(i - begin)
    if length == 1:
        return single[data[begin]], i
    for code in range(labels.shape[0]):
        if lengths[code] == length:
            k = 0
            while k < length and data[begin + np.uint64(k)] == labels[code, k]:
                k += 1
            if k == length:
                return np.int16(code), i
    return np.int16(-1), i


@numba.njit(nogil=True, cache=True)
def parse(  # type: ignore[no-untyped-def]
    data, start, most, roles, single, labels, lengths, ids, values, codes
):
    """uint8 bytes of whole lines from `start` → rows; stops before a line that is not clean.

    Returns (rows read, at most `most`; where it stopped: behind them). `roles` has one entry for
    each column of the file. `single` gives the code of a category of one byte or -1; `labels` and
    `lengths` are the bytes of all categories. ids: int64[most], values: float64[columns, most],
    codes: uint8[most]. All positions are unsigned: no index is checked for counting from the end.
    """
    n, i, row, last = np.uint64(data.size), np.uint64(start), 0, roles.size - 1
    comma = np.uint8(44)
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
            if role >= FIRST_VALUE:
                value, i = _decimal(data, i, n)
                if not np.isfinite(value):
                    return row, line
                values[role - FIRST_VALUE, row] = value
            elif role == ID:
                number, i, clean = _whole(data, i, n)
                if not clean:
                    return row, line
                ids[row] = number
            elif role == CATEGORY:
                code, i = _category(data, i, n, comma, single, labels, lengths)
                if code < 0:
                    return row, line
                codes[row] = code
            else:
                while i < n and data[i] != comma and data[i] != _NEWLINE:
                    # What only the exact reader judges: quotes, a lone return, NUL, not ASCII.
                    if data[i] == _QUOTE or data[i] == _RETURN or data[i] == 0 or data[i] > 127:
                        return row, line
                    i += _1
            if column < last:
                if i >= n or data[i] != comma:
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
